/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - the texts of --help. See help.h. */
#include <stdio.h>

#include "tools/godwit/help.h"

/* clang-format off: the lines are as they are printed */

void help_main(void)
{
	fputs("godwit - run a Linux server program in a virtual machine of its own\n"
	      "\n"
	      "  godwit run [options] -- PROGRAM [ARG...]   pack a program of this machine, boot "
	      "it, stay with it\n"
	      "  godwit run --native [options] -- APP ...   boot a program of Godwit's own "
	      "interface (docs/native.md)\n"
	      "  godwit host [options] -- APP [ARG...]      the same program as a process of this "
	      "system\n"
	      "  godwit top [--once] [PID]                  a running machine's figures, live\n"
	      "  godwit bundle --show FILE                  what is in a boot bundle or root "
	      "image\n"
	      "  godwit bundle -o FILE [options] -- ...     write the boot bundle that run would "
	      "boot\n"
	      "  godwit --help | --version                  'godwit run --help' lists the options "
	      "of run\n"
	      "\n"
	      "The program is an ordinary x86-64 Linux program, dynamic or static. It is packed "
	      "with its\n"
	      "loader and libraries (nothing else of this machine is visible to it: add files with "
	      "-f), and\n"
	      "runs as the only program of the machine. What it prints and its exit status are "
	      "godwit's own.\n"
	      "\n"
	      "Examples\n"
	      "  godwit run -- /bin/echo hello\n"
	      "  godwit run -p 6379:6379 -- redis-server --save '' --protected-mode no\n"
	      "  godwit run -m 64M -p 8080:80 -f ./site:/www -- busybox httpd -f -p 80 -h /www\n"
	      "\n"
	      "The manual: man godwit (in the source tree: man -l tools/godwit/godwit.1)\n",
	      stdout);
}

void help_run(void)
{
	fputs("godwit run [options] -- PROGRAM [ARG...]\n"
	      "\n"
	      "What the program gets\n"
	      "  -p [ADDR:]HOST:GUEST[/udp]  lead a port of this machine (127.0.0.1 unless ADDR is "
	      "given; HOST 0:\n"
	      "                              any free one) to the program's port GUEST; "
	      "repeatable\n"
	      "  -e NAME=VALUE               an environment variable; repeatable\n"
	      "  -f FILE[:GUESTPATH]         a file or folder, under its own path or GUESTPATH; "
	      "repeatable\n"
	      "  --cwd FOLDER                its working directory (/)\n"
	      "  --user UID[:GID]            who it runs as (0)\n"
	      "  --hostname NAME             the machine's name (godwit)\n"
	      "\n"
	      "The machine\n"
	      "  -m SIZE                     memory, with K, M or G (256M)\n"
	      "  -c VCORES                   processors, 1 to 64 (1)\n"
	      "  --net user|tap=IFACE|none   network: QEMU's own (default), a tap interface, none\n"
	      "  --addr dhcp|A.B.C.D/LEN[,gw=A.B.C.D][,dns=A.B.C.D]\n"
	      "                              its address (user: 10.0.2.15/24; tap: dhcp)\n"
	      "  --congestion cubic|bbr      TCP's congestion control; bbr for paths that lose "
	      "packets (cubic)\n"
	      "  --machine q35|microvm       which machine QEMU makes (q35)\n"
	      "  --accel auto|kvm|tcg        auto: KVM where it is really fast, else emulation\n"
	      "  --root blk|memory|none      the program's files: on a disk (default), in memory, "
	      "none\n"
	      "  --deterministic             every run the same: no network, virtual time, fixed "
	      "seed and date\n"
	      "  --poll NS                   poll this long before a processor sleeps (0)\n"
	      "  --qemu-args 'ARG...'        more arguments for QEMU, split as a shell would\n"
	      "\n"
	      "A native program (APP, or APP.elf; docs/native.md)\n"
	      "  --native                    the program is one; it runs as the partition itself\n"
	      "  --files FOLDER              the files that it finds (gw_file)\n"
	      "  --set KEY=VALUE             its configuration (gw_config); repeatable\n"
	      "\n"
	      "What you see\n"
	      "  -v                          the kernel's log as it comes, timeline, summary, "
	      "choices made\n"
	      "  --timeline                  where the time to boot went\n"
	      "  --summary                   counters at the end (also when standard output is a "
	      "terminal)\n"
	      "  --metrics [ADDR:]PORT       counters and latencies over HTTP, as Prometheus reads "
	      "them\n"
	      "  --print-qemu                write the files, print QEMU's command, run nothing\n"
	      "  --say TEXT                  print TEXT once a port given with -p is listened on\n"
	      "\n"
	      "Ctrl-C asks the program to end (SIGTERM), and ends the machine after 5 seconds; a "
	      "second Ctrl-C\n"
	      "ends it at once. Exit status: the program's; 128+N if signal N ended it; 2 if it "
	      "could not be\n"
	      "started; 125 if the machine failed.\n",
	      stdout);
}

void help_host(void)
{
	fputs("godwit host [options] -- APP [ARG...]\n"
	      "\n"
	      "Runs a native program (one that is linked with libgodwit.a; docs/native.md) as a "
	      "process of this\n"
	      "system, with its own TCP/IP stack on a network device.\n"
	      "\n"
	      "  --cores LIST                the cores that belong to it, as 2,3 or 2-5: a shard "
	      "on each (one\n"
	      "                              shard, on any core)\n"
	      "  --net tap=INTERFACE         a tap interface (made if root; else: ip tuntap add "
	      "dev "
	      "NAME mode tap\n"
	      "                              user $USER; multi_queue for several cores)\n"
	      "  --net afxdp=INTERFACE       a network card by AF_XDP. With the interface's own "
	      "address (the\n"
	      "                              default) only the ports that the program listens on "
	      "are taken;\n"
	      "                              everything else on it goes on. Needs root\n"
	      "  --net vhost-user=SOCKET     a back end that listens there (a switch, another "
	      "process)\n"
	      "  --net none                  loopback alone (default)\n"
	      "  --addr dhcp|A.B.C.D/LEN[,gw=A.B.C.D][,dns=A.B.C.D]\n"
	      "                              its address (afxdp: the interface's; others: dhcp)\n"
	      "  --trust-checksums           afxdp: do not check what comes in (veth leaves the "
	      "sums of local\n"
	      "                              senders empty; otherwise ethtool -K PEER tx off)\n"
	      "  --disk FILE                 a block device, by io_uring: a disk or a file; "
	      "repeatable\n"
	      "  -m SIZE                     memory, with K, M or G (256M); huge pages where there "
	      "are any\n"
	      "  --poll NS                   poll this long before a core sleeps (0)\n"
	      "  --files FOLDER              the files that it finds (gw_file)\n"
	      "  --set KEY=VALUE             its configuration (gw_config); repeatable\n"
	      "  --hostname NAME             for DHCP (godwit)\n"
	      "\n"
	      "Ctrl-C and SIGTERM ask the program to end, a second one ends it at once. Exit "
	      "status: the\n"
	      "program's; 2 if it could not be started.\n"
	      "\n"
	      "  godwit host --net tap=tap0 --addr 10.9.0.2/24 -- build/apps/echo\n"
	      "  godwit host --cores 2,3 --net afxdp=eth0 -- build/apps/echo tasks :7000\n",
	      stdout);
}

void help_bundle(void)
{
	fputs("godwit bundle --show FILE                    print what a boot bundle or root image "
	      "holds\n"
	      "godwit bundle -o FILE [run's options] -- PROGRAM [ARG...]\n"
	      "                                             write the boot bundle, and the root "
	      "image to FILE.root\n",
	      stdout);
}
