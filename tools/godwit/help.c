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
	      "  godwit module [options] FILE.ini           run a machine of several partitions\n"
	      "  godwit top [--once] [PID]                  a running machine's figures, live\n"
	      "  godwit trace [-o FILE] [LOG]               the kernel's trace in a console's "
	      "output, "
	      "for Perfetto\n"
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
	      "What you see\n"
	      "  -v                          the kernel's log as it comes, timeline, summary, "
	      "choices made\n"
	      "  --timeline                  where the time to boot went\n"
	      "  --summary                   counters at the end (also when standard output is a "
	      "terminal)\n"
	      "  --metrics [ADDR:]PORT       counters and latencies over HTTP, as Prometheus reads "
	      "them\n"
	      "  --trace FILE[:1/N]          follow every Nth received data packet (100th) from "
	      "ring to ring: a\n"
	      "                              trace for ui.perfetto.dev, and a table of where the "
	      "time went\n"
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

void help_module(void)
{
	fputs("godwit module [options] FILE.ini\n"
	      "\n"
	      "Run a machine of several partitions, each with memory, time, devices and a program "
	      "of "
	      "its own,\n"
	      "as FILE.ini describes them (docs/module.md). What a partition prints comes with its "
	      "name before\n"
	      "each line. Relative paths in the file are relative to its folder.\n"
	      "\n"
	      "  --check          tell every mistake with file and line, run nothing\n"
	      "  --show           draw the schedule and the memory map, run nothing\n"
	      "  --svg FILE       the schedule as a picture, run nothing\n"
	      "  --print-qemu     write the files, print QEMU's command, run nothing\n"
	      "  --metrics [ADDR:]PORT\n"
	      "                   counters of all partitions over HTTP, as Prometheus reads them\n"
	      "  --summary        counters of each partition at the end\n"
	      "  --quiet          no line at the end for each partition\n"
	      "  -v               the kernel's log as it comes, summaries, choices made\n"
	      "\n"
	      "  [module]            cores, memory, frame, machine, accelerator, metrics,\n"
	      "                      qemu-args, health, health.CLASS\n"
	      "  [partition NAME]    program, memory, personality, vcores, first-core, cores,\n"
	      "                      policy, delay, colours, page-tables, health, health.CLASS,\n"
	      "                      health-log, restarts, env, file, publish, network, address,\n"
	      "                      root, devices, pci, ports, directory, user, hostname, poll,\n"
	      "                      input, say\n"
	      "  [window NAME]       partition, core, offset, duration, period, elastic, exact\n"
	      "  [channel NAME]      kind, size, depth, refresh, from, to\n"
	      "\n"
	      "Ctrl-C asks every program to end. Exit status: the first partition's, as 'godwit "
	      "run' has it;\n"
	      "2 for mistakes in the file; 125 if the machine failed.\n",
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
