/* SPDX-License-Identifier: Apache-2.0 */
/* synth_table.c - what /dev, /proc and /sys hold, as far as servers read them: one line a file. */
#include <cpuid.h>
#include "linux/files/synth_internal.h"
#include "linux/metrics.h"
#include "runtime/net/net.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/netdev.h"

static void meminfo(struct text *t)
{
	uint64_t total = mem_total_pages(), free = mem_free_pages(),
		 file = pid_usage(process_self()).file_bytes / 4096;

	text_add(t,
		 "MemTotal: %15llu kB\nMemFree: %16llu kB\nMemAvailable: %11llu kB\nBuffers:       "
		 "        0 kB\n",
		 KIB(total), KIB(free), KIB(GW_MIN(free + file, total)));
	text_add(t,
		 "Cached: %17llu kB\nSwapCached:            0 kB\nActive:                0 "
		 "kB\nInactive:              0 kB\n",
		 KIB(file));
	text_add(t, "SwapTotal:             0 kB\nSwapFree:              0 kB\nShmem:              "
		    "   0 kB\nAnonHugePages:         0 kB\n"
		    "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 "
		    "kB\n");
}

static void cpuinfo(struct text *t)
{
	const struct gw_boot_info *boot = platform_boot();
	uint32_t a, r[13] = { 0 }, vendor[4] = { 0 };
	uint64_t khz = boot ? boot->clock.tsc_hz / 1000 : 0;

	__cpuid(0, a, vendor[0], vendor[2], vendor[1]);
	for (uint32_t k = 0; k < 3; k++)
		__cpuid(0x80000002u + k, r[4 * k], r[4 * k + 1], r[4 * k + 2], r[4 * k + 3]);
	__cpuid(1, a, r[12], r[12], r[12]);
	r[12] = 0; /* ends the brand text */
	for (uint32_t k = 0; k < n_shards; k++) {
		text_add(t,
			 "processor\t: %u\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel "
			 "name\t: %s\nstepping\t: %u\n",
			 k, (const char *)vendor, (a >> 8 & 15) + (a >> 20 & 255),
			 (a >> 4 & 15) | (a >> 12 & 0xf0), (const char *)r, a & 15);
		text_add(t,
			 "cpu MHz\t\t: %llu.%03llu\ncache size\t: 512 KB\nphysical id\t: "
			 "0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
			 ULL(khz / 1000), ULL(khz % 1000), n_shards, k, n_shards);
		text_add(t,
			 "fpu\t\t: yes\nflags\t\t: fpu tsc msr cx8 cmov clflush mmx fxsr sse sse2 "
			 "syscall nx rdtscp lm constant_tsc "
			 "nonstop_tsc pni cx16 hypervisor\nbogomips\t: %llu.00\n\n",
			 ULL(khz / 500));
	}
}

static void proc_stat(struct text *t)
{
	uint64_t up = clock_now() / (NS_PER_SEC / 100);

	text_add(t, "cpu  0 0 0 %llu 0 0 0 0 0 0\n", ULL(up * n_shards));
	for (uint32_t k = 0; k < n_shards; k++)
		text_add(t, "cpu%u 0 0 0 %llu 0 0 0 0 0 0\n", k, ULL(up));
	text_add(t,
		 "intr 0\nctxt %llu\nbtime %llu\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
		 ULL(shard_self()->stats.switches), ULL(clock_epoch_ns() / NS_PER_SEC));
}

static void uptime(struct text *t)
{
	uint64_t ms = clock_now() / NS_PER_MS;

	text_add(t, "%llu.%02llu 0.00\n", ULL(ms / 1000), ULL(ms % 1000 / 10));
}

static void loadavg(struct text *t)
{
	text_add(t, "0.00 0.00 0.00 1/%u %d\n", process_self()->n_threads, process_self()->pid);
}

static void uuid(struct text *t)
{
	uint32_t r[4];

	random_bytes(r, sizeof(r));
	text_add(t, "%08x-%04x-4%03x-%04x-%04x%08x\n", r[0], r[1] & 0xffff, r[1] >> 20,
		 0x8000 | (r[2] & 0x3fff), r[2] >> 16, r[3]);
}

static void boot_id(struct text *t)
{
	static struct text id;

	if (!id.len)
		uuid(&id);
	text_bytes(t, id.at, id.len);
}

static void hostname(struct text *t)
{
	text_add(t, "%s\n", linux_hostname);
}

static void cpu_list(struct text *t)
{
	text_add(t, n_shards > 1 ? "0-%u\n" : "%u\n", n_shards - 1);
}

static void cpu_map(struct text *t)
{
	uint64_t all = ~0ull >> (64 - n_shards);

	text_add(t, "%08x,%08x\n", (uint32_t)(all >> 32), (uint32_t)all);
}

#define CHR (S_IFCHR | 0666u)
#define LNK (S_IFLNK | 0777u)
#define DIR (S_IFDIR | 0555u)
#define DEV(major, minor) ((major) << 8 | (minor))
#define MOUNTS                                                                                   \
	"root / tmpfs rw 0 0\ndev /dev devtmpfs rw 0 0\nproc /proc proc rw 0 0\nsys /sys sysfs " \
	"ro 0 0\n"
#define SOCKETS                                                                               \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  " \
	"timeout inode\n"
#define SOCKETS6                                                                                \
	"  sl  local_address                         remote_address                        st " \
	"tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define IF_HEAD                                                                                    \
	"Inter-|   Receive                                                |  Transmit\n"           \
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs " \
	"drop fifo "                                                                               \
	"colls carrier compressed\n"
#define IF_LINE ": 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

static void net_dev(struct text *t)
{
	text_add(t, "%s", IF_HEAD "    lo" IF_LINE);
	if (netdev_get() != NULL)
		text_add(t, "%s", "  eth0" IF_LINE);
}

/* A line of if_inet6: address, interface, prefix length, scope, flags (Linux: if6_seq_show). */
static void ip6_line(struct text *t, const uint8_t ip[16], unsigned index, unsigned prefix,
		     unsigned scope, unsigned flags)
{
	for (unsigned i = 0; i < 16; i++)
		text_add(t, "%02x", ip[i]);
	text_add(t, " %02x %02x %02x %02x %8s\n", index, prefix, scope, flags,
		 index == 1 ? "lo" : "eth0");
}

static void if_inet6(struct text *t)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	/* by enum net_ip6_state: IFA_F_TENTATIVE, DADFAILED, none, DEPRECATED */
	static const uint8_t flags[] = { 0, 0x40, 0x48, 0, 0x20 };
	const struct net_stack *n = shard_self()->net;

	ip6_line(t, loopback, 1, 128, 0x10, 0x80);
	for (unsigned i = 0; n != NULL && i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &net_get_ip6(n)->addr[i];
		bool link = a->addr[0] == 0xfe && (a->addr[1] & 0xc0) == 0x80;

		if (a->state != NET_IP6_FREE)
			ip6_line(t, a->addr, 2, a->prefix, link ? 0x20 : 0,
				 flags[a->state] | (a->valid_until == GW_NEVER ? 0x80u : 0));
	}
}

static void metrics_line(void *t, const char *line)
{
	text_add(t, "%s\n", line);
}

static void metrics(struct text *t)
{
	metrics_lines(metrics_line, t);
}

const struct synth synth_table[] = {
	{ "dev/null", CHR, DEV(1, 3), .ops = &null_ops },
	{ "dev/zero", CHR, DEV(1, 5), .ops = &zero_ops },
	{ "dev/full", CHR, DEV(1, 7), .ops = &full_ops },
	{ "dev/random", CHR, DEV(1, 8), .ops = &random_ops },
	{ "dev/urandom", CHR, DEV(1, 9), .ops = &random_ops },
	{ "dev/tty", CHR, DEV(5, 0), .ops = &console_in_ops },
	{ "dev/console", CHR, DEV(5, 1), .ops = &console_in_ops },
	{ "dev/stdin", LNK, .fixed = "/proc/self/fd/0" },
	{ "dev/stdout", LNK, .fixed = "/proc/self/fd/1" },
	{ "dev/stderr", LNK, .fixed = "/proc/self/fd/2" },
	{ "dev/fd", LNK, .fixed = "/proc/self/fd" },
	{ "dev/shm", .mode = S_IFDIR | S_ISVTX | 0777 },
	{ "proc/self", LNK, .text = pid_link },
	{ "proc/thread-self", LNK, .text = pid_thread_link },
	{ "proc/@pid/stat", .text = pid_stat },
	{ "proc/@pid/statm", .text = pid_statm },
	{ "proc/@pid/status", .text = pid_status },
	{ "proc/@pid/maps", .text = pid_maps },
	{ "proc/@pid/smaps", .text = pid_smaps },
	{ "proc/@pid/smaps_rollup", .text = pid_smaps },
	{ "proc/@pid/cmdline", .text = pid_cmdline },
	{ "proc/@pid/environ", .text = pid_environ },
	{ "proc/@pid/exe", LNK, .text = pid_exe },
	{ "proc/@pid/cwd", LNK, .text = pid_cwd },
	{ "proc/@pid/root", LNK, .fixed = "/" },
	{ "proc/@pid/fd", DIR, .ops = &fd_dir_ops },
	{ "proc/@pid/task", DIR, .ops = &task_dir_ops },
	{ "proc/@pid/limits", .text = pid_limits },
	{ "proc/@pid/comm", .text = pid_comm, .store = pid_comm_store },
	{ "proc/@pid/oom_score", .fixed = "0\n" },
	{ "proc/@pid/oom_score_adj", .text = pid_oom_adj, .store = pid_oom_adj_store },
	{ "proc/@pid/mounts", .fixed = MOUNTS },
	{ "proc/@pid/mountinfo", .fixed = "1 0 0:1 / / rw - tmpfs root rw\n" },
	{ "proc/@pid/cgroup", .fixed = "0::/\n" },
	{ "proc/@pid/io",
	  .fixed = "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\n" },
	{ "proc/godwit/metrics", .text = metrics },
	{ "proc/godwit/record", S_IFREG | 0222, .store = metrics_record },
	{ "proc/meminfo", .text = meminfo },
	{ "proc/cpuinfo", .text = cpuinfo },
	{ "proc/stat", .text = proc_stat },
	{ "proc/uptime", .text = uptime },
	{ "proc/loadavg", .text = loadavg },
	{ "proc/version", .fixed = "Linux version " LINUX_RELEASE " (godwit) " LINUX_VERSION "\n" },
	{ "proc/filesystems",
	  .fixed = "nodev\ttmpfs\nnodev\tproc\nnodev\tsysfs\nnodev\tdevtmpfs\n" },
	{ "proc/mounts", LNK, .fixed = "self/mounts" },
	{ "proc/cmdline", .fixed = "godwit\n" },
	{ "proc/net/dev", .text = net_dev },
	{ "proc/net/tcp", .fixed = SOCKETS },
	{ "proc/net/tcp6", .fixed = SOCKETS6 },
	{ "proc/net/udp", .fixed = SOCKETS },
	{ "proc/net/udp6", .fixed = SOCKETS6 },
	{ "proc/net/if_inet6", .text = if_inet6 },
	{ "proc/net/unix", .fixed = "Num       RefCount Protocol Flags    Type St Inode Path\n" },
	{ "proc/sys/kernel/osrelease", .fixed = LINUX_RELEASE "\n" },
	{ "proc/sys/kernel/ostype", .fixed = "Linux\n" },
	{ "proc/sys/kernel/version", .fixed = LINUX_VERSION "\n" },
	{ "proc/sys/kernel/hostname", .text = hostname },
	{ "proc/sys/kernel/pid_max", .fixed = "4194304\n" },
	{ "proc/sys/kernel/threads-max", .fixed = "32768\n" },
	{ "proc/sys/kernel/ngroups_max", .fixed = "65536\n" },
	{ "proc/sys/kernel/cap_last_cap", .fixed = "40\n" },
	{ "proc/sys/kernel/random/uuid", .text = uuid },
	{ "proc/sys/kernel/random/boot_id", .text = boot_id },
	{ "proc/sys/kernel/random/entropy_avail", .fixed = "256\n" },
	{ "proc/sys/vm/overcommit_memory",
	  .fixed = "1\n" }, /* memory is taken when it is touched */
	{ "proc/sys/vm/max_map_count", .fixed = "65530\n" },
	{ "proc/sys/vm/swappiness", .fixed = "0\n" },
	{ "proc/sys/net/core/somaxconn", .fixed = "65535\n" },
	{ "proc/sys/net/ipv4/ip_local_port_range", .fixed = "32768\t60999\n" },
	{ "proc/sys/net/ipv4/tcp_available_congestion_control", .fixed = "cubic bbr\n" },
	{ "proc/sys/net/ipv4/tcp_fin_timeout", .fixed = "60\n" },
	{ "proc/sys/net/ipv4/tcp_max_syn_backlog", .fixed = "4096\n" },
	{ "proc/sys/fs/file-max", .fixed = "1048576\n" },
	{ "proc/sys/fs/nr_open", .fixed = "1048576\n" },
	{ "proc/sys/fs/pipe-max-size", .fixed = "1048576\n" },
	{ "sys/devices/system/node/node0/cpumap", .text = cpu_map },
	{ "sys/devices/system/cpu/online", .text = cpu_list },
	{ "sys/devices/system/cpu/possible", .text = cpu_list },
	{ "sys/devices/system/cpu/present", .text = cpu_list },
	{ "sys/devices/system/clocksource/clocksource0/current_clocksource", .fixed = "tsc\n" },
	{ "sys/devices/system/clocksource/clocksource0/available_clocksource", .fixed = "tsc\n" },
	{ "sys/kernel/mm/transparent_hugepage/enabled", .fixed = "always [madvise] never\n" },
	{ "sys/kernel/mm/transparent_hugepage/hpage_pmd_size", .fixed = "2097152\n" },
	{ "sys/fs/cgroup/cgroup.controllers", .fixed = "\n" },
};
const uint32_t synth_count = ARRAY_SIZE(synth_table);
