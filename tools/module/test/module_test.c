/* SPDX-License-Identifier: Apache-2.0 */
/* module_test.c - descriptions of modules: what is told about mistakes, line by line, and what a
 * good one becomes. */
#include <stdlib.h>

#include "abi/apex_config.h"
#include "tests/unit.h"
#include "tools/module/module.h"

#define HEAD "[module]\ncores = 2\nframe = 10ms\n"
#define WEB "[partition web]\nprogram = /bin/web -a 'b c'\nmemory = 16M\n"
#define DB "[partition db]\nprogram = db\nmemory = 32M\nvcores = 2\n"

static struct module m;
static struct diag d;

static void drop(void)
{
	module_free(&m);
	text_free(&d.out);
}

static void load(const char *text)
{
	fail_clear();
	d = (struct diag){ .file = "x.ini" };
	module_read(&m, text, strlen(text), &d);
	module_check(&m, &d);
	if (d.out.data == NULL)
		text_add(&d.out, "", 0);
}

/* The description leads to a line that begins so. */
static bool says(const char *text, const char *line)
{
	bool found = false;

	load(text);
	for (const char *p = d.out.data; p != NULL && *p != '\0' && !found; p = strchr(p, '\n') + 1)
		found = strncmp(p, line, strlen(line)) == 0;
	if (!found)
		printf("wanted %s\ngot %s", line, d.out.data);
	drop();
	return found;
}

static bool good(const char *text)
{
	bool ok;

	load(text);
	ok = d.errors == 0 && d.warnings == 0;
	if (!ok)
		printf("%s", d.out.data);
	return ok;
}

#define SAYS(text, line) CHECK(says(text, "x.ini:" line))

TEST(text)
{
	SAYS("", "1: there is no [partition NAME]");
	SAYS("cores = 2\n", "1: cores stands before the first [section]");
	SAYS("[module\n", "1: a section is written [kind name]");
	SAYS("[module] x\n", "1: a section is written");
	SAYS("# c\n; d\n\n[modul]\n", "4: unknown section [modul]; did you mean [module]?");
	SAYS("[nonsense]\n", "1: unknown section [nonsense]: there are");
	SAYS("[module]\nwhat\n", "2: neither [section], key = value");
	SAYS("[module]\n[module]\n", "2: a second [module]; the first is in line 1");
	SAYS("[module]\ncores = 1\ncores = 1\n", "3: cores is given already, in line 2");
	SAYS("[module]\ncores =\n", "2: cores has no value");
	SAYS("[module]\nmemroy = 1M\n", "2: unknown key memroy in [module]; did you mean memory?");
	SAYS("[module]\r\ncores = \\\r\n 99\r\n", "2: cores = 99: the number of vcores is 1 to 64");
	d = (struct diag){ .file = "x" };
	module_read(&m, "[module]\n\0", 10, &d);
	CHECK(strstr(d.out.data, "x:2: a NUL byte") != NULL);
	drop();
}

TEST(partitions)
{
	SAYS("[partition a]\n", "1: partition a has no program");
	SAYS("[partition a]\n", "1: partition a has no memory");
	SAYS("[partition a b]\n", "1: [partition a b]: a name has");
	SAYS("[partition pool]\n", "1: [partition pool]: a name");
	SAYS(WEB WEB, "4: a second partition web; the first is in line 1");
	SAYS(WEB "memory = 1\n", "4: memory is given already, in line 3");
	SAYS(WEB "health.memory = restart\n",
	     "4: health.memory = restart: it takes stop, ignore, cold-restart, module-stop, "
	     "warm-restart or module-reset");
	SAYS(WEB "health.memroy = stop\n",
	     "4: unknown key health.memroy in [partition]; did you mean health.memory?");
	SAYS(WEB "policy = batsch\n",
	     "4: policy = batsch: it takes fixed, latency or batch; did you mean batch?");
	SAYS(WEB "publish = 80\n", "4: publish = 80: two ports are needed");
	SAYS(WEB "network = foo\n", "4: network = foo: it takes user, none");
	SAYS(WEB "publish = 1:1\nnetwork = none\n",
	     "5: publish needs network = user: with network = none nothing");
	SAYS(WEB "devices = netwrk\n",
	     "4: devices = netwrk: it takes network, disk, random or none; did you mean network?");
	SAYS(WEB "pci = 1e.0\n", "4: pci = 1e.0: a device is written BUS:DEVICE.FUNCTION");
	SAYS(WEB "colours = 0-1, 8\n[module]\ncolours = 8\n",
	     "4: colours: the module has 8 (line 6), from 0 to 7");
	SAYS("[module]\ncolours = 12\n" WEB, "2: colours = 12: a power of two, from 2 to 64");
	SAYS("[module]\ncolours = 1\n" WEB, "2: colours = 1: ");
	SAYS(WEB "colours = 0-1\n" DB "colours = 1\n",
	     "9: warning: db shares page colours with web");
	SAYS(WEB "colours = 0-1\n" DB, "5: warning: db has no page colours: its memory is of all");
	SAYS("[module]\nmemory = 100M\n" WEB "colours = 7\n",
	     "2: memory: the partitions and the kernel take");
	SAYS(WEB "colours = 0-99\n", "4: colours = 0-99: numbers from 0 to 63");
	SAYS(WEB "cores = 2..1\n", "4: cores = 2..1: guaranteed and most");
	SAYS(WEB "cores = 0..3\npolicy = batch\n", "4: cores: 3 at most, and web has 1 vcores");
	SAYS(WEB "personality = windows\n",
	     "4: personality = windows: it takes linux, native or arinc653");
	SAYS(WEB "delay = 5\n", "4: delay = 5: a time is a number and ns, us, ms or s");
	SAYS(WEB "input = yes\n" DB "input = yes\n", "9: web has the standard input already");
	SAYS(WEB "publish = 80:80\n" DB "publish = 80:81\n",
	     "5: publish: host port 80 leads to web already");
	SAYS("[partition a]\nprogram = 'x\nmemory = 9M\n", "2: program: a quote is not closed");
	SAYS("[module]\nmachine = microvm\n" WEB DB, "2: microvm's devices share a page");
	SAYS(WEB "dma = safe\n", "4: dma = safe: it takes trusted");
	SAYS("[module]\nmachine = microvm\n" WEB "dma = isolated\n",
	     "6: dma = isolated needs an IOMMU, and microvm has none: machine = q35");
	SAYS("[module]\nmemory = 40M\n" WEB DB, "2: memory: the partitions and the kernel take");
	SAYS("[module]\ncores = 1\n" WEB "first-core = 1\n",
	     "6: first-core = 1: the machine's cores are 0 to 0");
	SAYS("[module]\ncores = 1\n" WEB "vcores = 17\n", "3: core 0 has more than 16 vcores");
	SAYS("[module]\ncores = 1\n" WEB "cores = 1..1\npolicy = batch\n" DB
	     "cores = 1..1\npolicy = batch\n",
	     "12: 2 cores are guaranteed in all, and the elastic pool has 1");
}

TEST(windows)
{
	SAYS("[module]\nhealth = cold-restart\n" WEB,
	     "2: health = cold-restart: an error of the module itself");
	SAYS(WEB "[window w]\npartition = web\nduration = 1ms\n",
	     "4: there are windows, but no frame");
	SAYS("[module]\nframe = 9s\n" WEB, "2: frame = 9s: the major frame is from 10us to 4s");
	SAYS(HEAD WEB "[window w]\npartition = wab\nduration = 1ms\n",
	     "7: window w: there is no partition wab");
	SAYS(HEAD WEB "[window w]\nduration = 1ms\n", "7: window w has no owner");
	SAYS(HEAD WEB "[window w]\npartition = web\n",
	     "7: window w needs a duration of 10us or more");
	SAYS(HEAD WEB "[window w]\npartition = web\ncore = 1\nduration = 1ms\n",
	     "7: window w: web has no vcore on core 1");
	SAYS(HEAD WEB "[window w]\npartition = web\ncore = 2\nduration = 1ms\n",
	     "7: window w: core 2, and the machine's cores are 0 to 1");
	SAYS(HEAD WEB "[window w]\npartition = web\noffset = 9ms\nduration = 2ms\n",
	     "7: window w ends 1 ms behind its major frame of 10 ms");
	SAYS(HEAD WEB "[window w]\npartition = web\nperiod = 3ms\nduration = 2ms\n",
	     "7: window w: its period does not divide the major frame of 10 ms");
	SAYS(HEAD WEB "[window w]\npartition = web\nperiod = 2ms\nduration = 3ms\n",
	     "7: window w ends 1 ms behind its period of 2 ms");
	SAYS(HEAD WEB "[window a]\npartition = web\nduration = 4ms\n[window b]\npartition = "
		      "pool\noffset = 3ms\nduration = 4ms\n",
	     "10: window b at 3 ms overlaps window a (line 7), which ends at 4 ms on core 0");
	SAYS(HEAD WEB DB "[window w]\npartition = web\nduration = 10ms\n",
	     "7: vcore 0 of db never runs: core 0 has windows");
	SAYS(HEAD WEB DB "[window w]\npartition = web\nduration = 10ms\nelastic = yes\n",
	     "7: warning: vcore 0 of db runs on core 0 only while others");
	SAYS("[module]\nframe = 1ms\n" WEB
	     "[window w]\npartition = web\nperiod = 10us\nduration = 10us\n",
	     "6: with window w there are more than 64");
}

TEST(channels)
{
	SAYS(WEB DB "[channel c]\n", "8: channel c has no kind");
	SAYS(WEB DB "[channel c]\n", "8: channel c has no size");
	SAYS(WEB DB "[channel c]\n", "8: channel c comes from nowhere");
	SAYS(WEB DB "[channel c]\n", "8: channel c leads nowhere");
	SAYS(WEB DB "[channel c]\nfrom = web\nto = dbb\n",
	     "10: there is no partition dbb; did you mean db?");
	SAYS(WEB DB "[channel c]\nfrom = web\nto = web\n", "10: channel c leads back to web");
	SAYS(WEB DB "[channel c]\nfrom = web\nto = db, db\n", "10: channel c leads to db twice");
	SAYS(WEB DB "[channel c]\nfrom = web:a/b\nto = db\n", "9: a/b: a port's name has");
	SAYS(WEB DB "[channel c]\nsize = 5K\n", "9: size = 5K: a message has 1 to 4064 bytes");
	SAYS(WEB DB "[channel c]\nkind = queuing\n", "8: queuing channel c has no depth");
	SAYS(WEB DB "[channel c]\nkind = sampling\ndepth = 3\n",
	     "8: sampling channel c: depth is for queuing");
	SAYS(WEB DB "[channel c]\nkind = queuing\nrefresh = 3ms\n",
	     "8: queuing channel c: refresh is for sampling");
	SAYS(WEB DB "[channel c]\nfrom = web\nto = db\n[channel c]\n",
	     "11: a second channel c; the first is in line 8");
	SAYS(WEB DB "[channel c]\nfrom = web:x\nto = db\n[channel e]\nfrom = db\nto = web:x\n",
	     "9: web has several ports named x");
	SAYS(WEB "ports = temp\n" DB, "4: port temp of web is connected to no channel");
	SAYS(WEB DB "[partition c]\nprogram = c\nmemory = 8M\n[channel q]\nkind = queuing\nfrom = "
		    "web\nto = db c\n",
	     "14: queuing channel q leads to 2 partitions");
}

TEST(compiled)
{
	struct words ports = { 0 };
	struct gw_bundle b = { 0 };
	struct text t = { 0 };

	CHECK(good(
		HEAD
		"trace = 500\n" WEB
		"publish = 81:80\nhealth = ignore\nhealth.memory = cold-restart\nrestarts = "
		"3\n"
		"[partition db]\nprogram = db\nmemory = 32M\nvcores = 2\nfirst-core = 1\nnetwork = "
		"none\n"
		"[window a]\npartition = web\nduration = 1ms\nperiod = 5ms\n"
		"[window b]\npartition = db\noffset = 2ms\nduration = 2ms\nelastic = on\n"
		"[channel c]\nkind = queuing\nsize = 64\ndepth = 4\nfrom = web:out\nto = db\n"
		"[channel s]\nkind = sampling\nsize = 1K\nrefresh = 100ms\nfrom = db\nto = web\n"));
	module_manifest(&m, &b);
	CHECK_EQ(b.n_partitions, 2);
	CHECK_STR(b.partitions[0].name, "web");
	CHECK_EQ(b.partitions[0].memory_bytes, 16 << 20);
	CHECK_EQ(b.partitions[0].health[GW_HEALTH_MEMORY], GW_HEALTH_COLD_RESTART);
	CHECK_EQ(b.partitions[0].health[GW_HEALTH_POWER], GW_HEALTH_IGNORE);
	CHECK_EQ(b.partitions[0].restarts, 3);
	CHECK_EQ(b.partitions[0].policy, GW_POLICY_FIXED);
	CHECK_EQ(b.partitions[1].first_core, 1);
	CHECK_EQ(b.partitions[1].health[GW_HEALTH_MEMORY], GW_HEALTH_STOP);
	CHECK_EQ(b.cores, 2);
	CHECK_EQ(b.frame_ns, 10000000);
	CHECK_EQ(b.trace_records, 500);
	CHECK_EQ(b.n_slots, 3); /* db's second vcore is on core 0 */
	CHECK_EQ(b.slots[1].offset_ns, 2000000);
	CHECK_EQ(b.slots[1].partition, 1);
	CHECK_EQ(b.slots[1].flags, GW_WINDOW_ELASTIC);
	CHECK_EQ(b.slots[2].offset_ns, 5000000);
	CHECK_EQ(b.n_channels, 2);
	CHECK_EQ(b.channels[0].depth, 4);
	CHECK_EQ(b.channels[0].destinations, 2);
	CHECK_EQ(b.channels[1].refresh_ns, 100000000);
	CHECK_EQ(b.n_devices, 7); /* serial, net, blk, rng; serial, blk, rng */
	CHECK_EQ(b.devices[1].location, 1 << 3 | 1);
	CHECK_EQ(b.devices[4].location, 2 << 3);
	CHECK_EQ(b.devices[4].partition, 1);
	CHECK_EQ(m.partitions[0].o.raise, 0xff);
	module_ports(&m, 0, &ports);
	CHECK_EQ(ports.n, 2);
	CHECK_STR(ports.v[0], "0 source queuing 64 4 out");
	CHECK_STR(ports.v[1], "1 destination sampling 1024 0 s");
	CHECK_STR(m.partitions[0].argv.v[2], "b c");
	module_show(&m, &t);
	CHECK(strstr(t.data, "core 0  |AAAAAA......BBBBBBBBBBBBBB......AAAAAA") != NULL ||
	      strstr(t.data, "core 0  |AAAAAA") != NULL);
	CHECK(strstr(t.data, "core 1   in turn: db.0") != NULL);
	t.len = 0;
	module_svg(&m, &t);
	CHECK(strstr(t.data, "<title>db: 2.000 ms for 2.000 ms</title>") != NULL);
	text_free(&t);
	words_free(&ports);
	drop();
}

/* Page colours: in the manifest, in the machine's size, and in the picture. */
TEST(coloured)
{
	struct gw_bundle b = { 0 };
	struct text t = { 0 };
	uint64_t wide;

	CHECK(good("[module]\ncolours = 8\n" WEB "colours = 0-1, 3\n" DB "colours = 4-7\n"));
	module_manifest(&m, &b);
	CHECK_EQ(b.colours, 8);
	CHECK_EQ(b.partitions[0].colours, 0x0b);
	CHECK_EQ(b.partitions[1].colours, 0xf0);
	/* the second, with more than 32 MiB in 4 of 8 */
	CHECK(m.stretch > 64 << 20 && m.stretch < 72 << 20);
	CHECK(m.o.memory > m.stretch && m.o.memory < 80 << 20);
	module_show(&m, &t);
	CHECK(strstr(t.data, "page colours: 8\n") != NULL);
	CHECK(strstr(t.data, "|##.#....|\n") != NULL);
	CHECK(strstr(t.data, "|....####|\n") != NULL);
	CHECK(strstr(t.data, "colours that nobody has") != NULL);
	wide = m.stretch;
	drop();
	/* as many as the CPU has: room for the most */
	SAYS(WEB "colours = 0-1, 3\n", "4: warning: colours: of as many as the CPU's caches have");
	load(WEB "colours = 0-1, 3\n" DB "colours = 4-7\n");
	CHECK_EQ(d.errors, 0);
	CHECK_EQ(d.warnings, 1);
	CHECK(m.stretch > 7 * wide);
	t.len = 0;
	module_show(&m, &t);
	CHECK(strstr(t.data, "page colours: 64 at most") != NULL);
	drop();
	/* behind one another where they meet */
	load("[module]\ncolours = 8\n" WEB "colours = 0-3\n" DB "colours = 3-7\n");
	CHECK_EQ(d.errors, 0);
	CHECK_EQ(d.warnings, 1);
	CHECK(m.stretch > (32 + 51) << 20);
	drop();
	CHECK(good(WEB DB));
	CHECK_EQ(m.stretch, 0);
	drop();
	text_free(&t);
}

TEST(dma)
{
	struct gw_bundle b = { 0 };
	struct text t = { 0 };
	uint64_t need[2];

	CHECK(good(WEB "dma = isolated\npci = 00:1e.1\n" DB "dma = trusted\ndevices = disk\n"));
	CHECK(m.o.isolated);
	module_manifest(&m, &b);
	CHECK_EQ(b.partitions[0].flags & GW_PARTITION_DMA_TRUSTED, 0);
	CHECK_EQ(b.partitions[1].flags & GW_PARTITION_DMA_TRUSTED, GW_PARTITION_DMA_TRUSTED);
	module_show(&m, &t);
	CHECK(strstr(t.data, " 00:01.0  console  dma isolated: memory of web\n") != NULL);
	CHECK(strstr(t.data, " 00:01.3  random   dma isolated: memory of web\n") != NULL);
	CHECK(strstr(t.data, " 00:1e.1  PCI      dma isolated: memory of web\n") != NULL);
	CHECK(strstr(t.data, " 00:02.1  disk     dma trusted: all memory\n") != NULL);
	CHECK(strstr(t.data, "00:02.2") == NULL);
	need[0] = m.need[0];
	text_free(&t);
	drop();
	CHECK(good(WEB DB)); /* the default, which needs fewer page tables */
	CHECK(!m.o.isolated);
	need[1] = m.need[0];
	CHECK(need[0] > need[1]);
	drop();
}

#define SPIN "[partition spin]\nprogram = s\nmemory = 8M\nvcores = 2\npolicy = batch\n"
#define WIN(core, rest) "[window " #core "]\ncore = " #core "\nduration = 10ms\n" rest

/* What the kernel makes of policies and windows together (kernel/core/manifest.c, pool.c). */
TEST(elastic)
{
	struct gw_bundle b = { 0 };

	CHECK(good(WEB "policy = latency\ndelay = 20us\ncores = 0..1\n" SPIN));
	module_manifest(&m, &b);
	CHECK_EQ(b.partitions[0].policy, GW_POLICY_LATENCY);
	CHECK_EQ(b.partitions[0].delay_ns, 20000);
	CHECK_EQ(b.partitions[0].cores_max, 1);
	CHECK_EQ(b.partitions[1].policy, GW_POLICY_BATCH);
	drop();
	SAYS(HEAD WEB "policy = latency\n[window w]\npartition = web\nduration = 1ms\n",
	     "8: window w: web is elastic (policy, line 7): it runs in windows of the pool");
	SAYS(HEAD "[window w]\npartition = spin\nduration = 1ms\n" SPIN,
	     "4: window w: spin is elastic (policy, line 11)");
	SAYS(HEAD DB SPIN WIN(0, "partition = db\n") WIN(1, "partition = db\n"),
	     "12: spin is elastic, and no core is left for it");
	/* One core with windows of another, one for the pool: it runs there, wherever its vcores
	 * would be if they were fixed. */
	CHECK(good(HEAD WEB SPIN WIN(0, "partition = web\n")));
	drop();
	CHECK(good(HEAD DB SPIN WIN(0, "partition = db\n")
			   WIN(1, "partition = db\nelastic = yes\n")));
	drop();
	SAYS(HEAD DB SPIN "cores = 2..2\n" WIN(0, "partition = db\n")
		     WIN(1, "partition = db\nelastic = yes\n"),
	     "13: 2 cores are guaranteed in all, and the elastic pool has 1");
}

#define P(name) "[partition " #name "]\nprogram = x\nmemory = 4M\n"

TEST(devices)
{
	SAYS(P(a) P(b) P(c) P(d) P(e) P(f) P(g) P(h) "pci = 00:1e.0\n",
	     "25: with those of h there are 33 devices; a machine has room for 32");
	CHECK(good(P(a) P(b) P(c) P(d) P(e) P(f) P(g) P(h)));
	drop();
}

#define APEX "[partition a]\nprogram = a\npersonality = arinc653\nmemory = 4M\n"
#define SAMPLES "[channel S]\nkind = sampling\nsize = 64\nfrom = a\nto = b\n"
#define OTHER "[partition b]\nprogram = b\npersonality = arinc653\nmemory = 4M\nperiod = 5ms\n"

/* Its configuration: the period by its windows, ports by the channels. */
TEST(apex)
{
	const struct apex_config_port *port;
	struct apex_config c;
	struct text blob = { 0 };

	SAYS(APEX, "1: partition a has neither windows nor a period");
	SAYS(APEX "vcores = 9\nperiod = 1ms\n", "5: vcores: an arinc653 partition has 8 at most");
	SAYS("[module]\ncores = 2\n" APEX "vcores = 3\nperiod = 1ms\n",
	     "7: vcores: a needs a core for each of 3, and the module has 2");
	SAYS(APEX "vcores = 2\nperiod = 1ms\ncore-affinity = 2\n",
	     "7: core-affinity = 2: a has cores 0..1");
	SAYS(APEX "period = 1ms\ncore-affinity = none\n", "6: core-affinity = none");
	SAYS("[module]\nframe = 10ms\n" APEX
	     "vcores = 2\n[window w]\npartition = a\nduration = 4ms\n[window x]\npartition = a\n"
	     "core = 1\nduration = 3ms\n",
	     "7: vcores: a has a window of 4 ms at 0 ms on core 0, but not on core 1");
	SAYS(APEX "period = 1ms\nduration = 2ms\n", "1: partition a: duration is longer");
	SAYS(APEX "period = 1ms\nmain-stack = 1K\n", "6: main-stack = 1K: from 4K to 16M");
	SAYS(APEX "period = 1ms\npartition-errors = power fire\n", "6: partition-errors: fire");
	SAYS(APEX "period = 1ms\n" OTHER SAMPLES, "11: channel S: b samples it");
	CHECK(good(HEAD APEX "partition-errors = power\nidentifier = 7\n" OTHER
			     "[window w]\npartition = a\noffset = 1ms\nduration = 4ms\n"
			     "[window x]\npartition = b\nduration = 2ms\n" SAMPLES
			     "refresh = 8ms\n[channel Q]\nkind = queuing\nsize = 32\ndepth = 9\n"
			     "from = b:OUT\nto = a\n"));
	module_apex(&m, 0, &blob);
	memcpy(&c, blob.data, sizeof(c));
	port = (const struct apex_config_port *)(const void *)(blob.data + sizeof(c));
	CHECK(c.magic == APEX_CONFIG_MAGIC && c.size == blob.len && c.n_ports == 2);
	CHECK_EQ(c.period_ns, 10000000);
	CHECK_EQ(c.duration_ns, 4000000);
	CHECK_EQ(c.phase_ns, 1000000);
	CHECK_EQ(c.identifier, 7);
	CHECK(c.level[7] == APEX_LEVEL_PARTITION && c.level[0] == APEX_LEVEL_PROCESS);
	CHECK_STR(port[0].name, "S");
	CHECK(port[0].direction == APEX_PORT_SOURCE && port[0].refresh_ns == 0);
	CHECK(port[1].kind == APEX_PORT_QUEUING && port[1].channel == 1 && port[1].messages == 9 &&
	      port[1].direction == APEX_PORT_DESTINATION);
	CHECK_EQ(c.default_core, 0);
	text_free(&blob);
	module_apex(&m, 1, &blob);
	memcpy(&c, blob.data, sizeof(c));
	port = (const struct apex_config_port *)(const void *)(blob.data + sizeof(c));
	CHECK_EQ(c.period_ns, 5000000);
	CHECK_EQ(c.duration_ns, 1000000);
	CHECK_EQ(c.phase_ns, 0);
	CHECK_EQ(port[0].refresh_ns, 8000000);
	CHECK_STR(port[1].name, "OUT");
	drop();
	text_free(&blob);
	CHECK(good("[module]\nframe = 10ms\n" APEX "vcores = 2\ncore-affinity = any\n"
		   "[window w]\npartition = a\noffset = 1ms\nduration = 4ms\n[window x]\n"
		   "partition = a\ncore = 1\noffset = 1ms\nduration = 4ms\n"));
	module_apex(&m, 0, &blob);
	memcpy(&c, blob.data, sizeof(c));
	CHECK_EQ(c.default_core, APEX_ANY_CORE);
	CHECK_EQ(c.duration_ns, 4000000);
	text_free(&blob);
	drop();
}

UNIT_MAIN(CASE(text), CASE(partitions), CASE(windows), CASE(channels), CASE(dma), CASE(elastic),
	  CASE(devices), CASE(compiled), CASE(coloured), CASE(apex))
