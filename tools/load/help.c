/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - the texts of --help. */
#include <stdio.h>

#include "tools/load/commands.h"

/* clang-format off: the lines are as they are printed */

void help_main(void)
{
	fputs("godwit-load - an honest load generator\n"
	      "\n"
	      "  godwit-load run URL [options]        load a server, and say how long its answers "
	      "take\n"
	      "  godwit-load sweep URL --slo 'p99.9<2ms' [options]   find the highest rate that "
	      "keeps a bound\n"
	      "  godwit-load plot A.json [B.json...] -o x.svg        draw runs over each other\n"
	      "  godwit-load reflector URL... [options]              a server that does nothing, "
	      "to measure against\n"
	      "  godwit-load log A.hlog [B.hlog...] [options]        what HdrHistogram logs hold, "
	      "of any tool\n"
	      "  godwit-load floor [--rate R]         what this machine and the generator itself "
	      "add\n"
	      "  godwit-load COMMAND --help\n"
	      "\n"
	      "URL: redis://HOST[:PORT]  http://HOST[:PORT]/PATH  tcp://HOST:PORT  udp://HOST:PORT "
	      "(echo servers)\n"
	      "\n"
	      "Requests are due at times that no answer changes (an open loop), and an answer's "
	      "latency counts from when\n"
	      "its request was due. A closed loop asks again only after an answer: while the "
	      "server stalls it asks nothing,\n"
	      "so one slow answer stands for hundreds that users would have waited for. Both "
	      "figures are printed.\n"
	      "\n"
	      "Examples\n"
	      "  godwit-load run redis://127.0.0.1 --rate 20000 --mix 'get:80,set:20' --keys "
	      "100000 --key-dist zipf:0.99\n"
	      "  godwit-load run redis://127.0.0.1 --rate 5000 --verify --json a.json --svg a.svg\n"
	      "  godwit-load run http://127.0.0.1:8080/index.html --ramp 100:10000:30 --duration "
	      "40s --connections 2000\n"
	      "  godwit-load sweep redis://127.0.0.1 --slo 'p99.9<2ms' --rate 1000\n"
	      "\n"
	      "The manual: man godwit-load (in the source tree: man -l tools/load/godwit-load.1)\n",
	      stdout);
}

void help_run(void)
{
	fputs("godwit-load run URL [options]\n"
	      "\n"
	      "When requests are due\n"
	      "  --rate R                 requests a second: 500, 20k, 1.5M (1000)\n"
	      "  --arrivals poisson|constant   as of many independent users, or evenly spaced "
	      "(poisson)\n"
	      "  --burst N                N requests at a time, at the same rate (1)\n"
	      "  --ramp FROM:TO:SECONDS   the rate grows from FROM to TO, then stays (instead of "
	      "--rate)\n"
	      "  --trace FILE             recorded times, one a line: seconds from the start, or "
	      "250us, 3ms\n"
	      "  --duration T             how long is measured (10s; a trace: until its end)\n"
	      "  --warmup T               before that, the same without measuring (1s; a trace: "
	      "none)\n"
	      "\n"
	      "How they travel\n"
	      "  --connections N          (50)\n"
	      "  --pipeline N             requests on a connection at the same time (1)\n"
	      "  --threads N              one for each processor that is free for it, at most (1)\n"
	      "  --timeout T              an answer that takes longer is an error (10s; udp 1s)\n"
	      "  --connect-timeout T      (5s)\n"
	      "  --drain T                how long answers are waited for at the end (1s)\n"
	      "  --poll busy|sleep        busy: poll while answers are due, for precision; sleep: "
	      "be kind to the server on\n"
	      "                           the same machine, and measure some microseconds of "
	      "waking up (busy)\n"
	      "\n"
	      "redis\n"
	      "  --mix 'get:80,set:20'    commands and weights. A name (get, set, del, exists, "
	      "incr, ping, echo, append, lpush,\n"
	      "                           rpop, sadd, hset, hget, zadd), or a whole command with "
	      "{key}, {value}, {counter},\n"
	      "                           {random:N}: 'ZADD board {random:1000} {key}:3,ZRANGE "
	      "board 0 9:1'\n"
	      "  --keys N                 (10000)\n"
	      "  --key-dist uniform|zipf:THETA\n"
	      "  --value-size BYTES       (64)\n"
	      "  --verify                 check every answer against what was written (each "
	      "connection has its own keys)\n"
	      "http\n"
	      "  --method GET  --header 'Name: value' (repeatable)  --body TEXT\n"
	      "  --verify                 every body must be the same as the connection's first\n"
	      "tcp, udp\n"
	      "  --size BYTES             of each echo (64); its content is always checked\n"
	      "\n"
	      "What comes out (besides the summary on standard output; FILE may be -)\n"
	      "  --hgrm FILE   percentiles as HdrHistogram's plotter reads them, in microseconds\n"
	      "  --log FILE    a HdrHistogram log: one compressed histogram for each interval, "
	      "written as it goes\n"
	      "  --json FILE   everything; for `godwit-load plot`\n"
	      "  --csv FILE    each interval, and the totals\n"
	      "  --svg FILE    percentile curve, and latency over time\n"
	      "  --interval T  (1s)    --label TEXT  in plots    --quiet  no progress lines    "
	      "--seed N  repeat the same choices\n"
	      "\n"
	      "Status: 0 measured; 1 errors, time-outs, unanswered requests, a rate that was not "
	      "kept, "
	      "or a file that could not be\n"
	      "written (what was measured is printed all the same); 2 a mistake in the options.\n",
	      stdout);
}

void help_sweep(void)
{
	fputs("godwit-load sweep URL --slo 'p99.9<2ms' [options of run]\n"
	      "\n"
	      "Doubles the rate from --rate on until the bound breaks, then narrows it down. A "
	      "rate passes when the percentile\n"
	      "stays below the bound, there are no errors, and the server keeps the rate.\n"
	      "\n"
	      "  --slo 'pP<T'       the bound, on latency from the intended send time\n"
	      "  --max-rate R       go no higher\n"
	      "  --precision PCT    how narrow (5)\n"
	      "  --tries N          how often a rate that fails is tried in all; one pass is "
	      "enough (2)\n"
	      "  --duration T       of each step (3s, longer where the percentile needs more "
	      "samples)\n"
	      "  --csv FILE  --json FILE  --svg FILE   the steps\n",
	      stdout);
}

void help_reflector(void)
{
	fputs("godwit-load reflector URL... [options]\n"
	      "\n"
	      "Listens at each URL (tcp, udp, redis, http; without a port: any free one, printed) "
	      "and answers at once: echoes,\n"
	      "redis stubs (GET gives a value of --size, SET OK), and HTTP 200 with a body of "
	      "--size. One thread, no storage.\n"
	      "\n"
	      "  --size BYTES         (64)\n"
	      "  --stall T/EVERY      do nothing at all for T once every EVERY, as in 100ms/1s\n"
	      "  --service T          work this long on each request, so that 1/T a second is the "
	      "most it does\n"
	      "  --delay T            answer each request T later, exactly by the clock (takes a "
	      "processor)\n"
	      "  --fault close|garbage|half|silent   misbehave: close instead of answering, answer "
	      "nonsense, answer by half,\n"
	      "                       do not answer\n",
	      stdout);
}

void help_plot(void)
{
	fputs("godwit-load plot A.json [B.json...] -o x.svg\n"
	      "\n"
	      "Draws up to eight runs over each other: the percentile curve (dashed: "
	      "uncorrected), and latency over time.\n"
	      "A.json is what --json of run or log wrote; --label of that run is its name in the "
	      "picture. FILE - is standard output.\n",
	      stdout);
}

void help_log(void)
{
	fputs("godwit-load log A.hlog [B.hlog...] [options]\n"
	      "\n"
	      "Adds up the histograms of HdrHistogram logs (those of --log, also of a run that was "
	      "killed, and of other tools;\n"
	      "values are taken as nanoseconds) and prints their percentiles. A line that cannot "
	      "be "
	      "read ends the reading of its\n"
	      "file; what came before it counts, and the status is 1.\n"
	      "\n"
	      "  --tag TEXT    only intervals with that tag\n"
	      "  --hgrm FILE  --csv FILE  --json FILE  --svg FILE  --label TEXT   as for run\n",
	      stdout);
}

void help_floor(void)
{
	fputs("godwit-load floor [options of run]\n"
	      "\n"
	      "Loads a reflector in the same process by every protocol (--rate 1000, --duration 2s "
	      "each) and prints\n"
	      "  latency     what generator, reflector and this machine's loopback add: no "
	      "measured figure can be below it\n"
	      "  late        how long after its time a request left by the generator's own fault\n"
	      "  clock       what a clock reading costs, and its step\n"
	      "  precision   two reflectors, one of which answers 10 us later by the clock, are "
	      "measured in turn: how far the\n"
	      "              difference (of the quickest answers, the median of nine pairs) is "
	      "from 10 us\n",
	      stdout);
}
/* clang-format on */
