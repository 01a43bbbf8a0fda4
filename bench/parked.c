/* SPDX-License-Identifier: MIT */
/* parked.c - a million coroutines that wait: memory of each, time to create and to wake
 *
 * Which wait?  Shape `close`: all receive from one channel, which is then closed, Go's idiom
 * and what its twin does.  All are made ready at once, and the queues are as long as can be.
 *
 * Shape `chain`: goad_join, which parks and readies as a channel does, but has one waiter a
 * task: so coroutine i joins coroutine i - WIDTH, in WIDTH chains, the heads of which join
 * gates; a gate looks at a flag each millisecond.  Opening the gates makes each coroutine
 * wake, end, and ready the next: one ready, one switch and one exit for each, as after a
 * close.  It is kinder to the run queues, which stay short, and nobody can know who comes
 * after the next.
 *
 * Shape `sleep` is the flood: all sleep until the same moment, and it is timed from then
 * until the last has ended.  Go sleeps just so in its twin.
 *
 * Chains and closed channels go two rounds: in the first each stack is touched for the first
 * time, and those page faults are its cost; the second finds the stacks that the first left
 * behind. */
#include "bench.h"
#include "runtime.h"

#define WIDTH 8

static goad_task_t **task;
static goad_chan_t *channel;
static goad_wg_t ended;
static long arrived, alive;
static int open_;
static uint64_t wake_at, finished_at;
static struct result {
	double rss, tables, create, wake;
} result[2];

static void gate (void *arg)
{
	(void) arg;
	while (!__atomic_load_n (&open_, __ATOMIC_ACQUIRE))
		goad_sleep (GOAD_MS);
}

static void chained (void *arg)
{
	goad_task_t **mine = arg;
	__atomic_add_fetch (&arrived, 1, __ATOMIC_RELAXED);
	goad_join (mine[-WIDTH]);
}

static void sleeper (void *arg)
{
	(void) arg;
	__atomic_add_fetch (&arrived, 1, __ATOMIC_RELAXED);
	goad_sleep_until (wake_at);
	if (__atomic_sub_fetch (&alive, 1, __ATOMIC_RELAXED) == 0)
		finished_at = bench_now ();
}

static void receiver (void *arg)
{
	(void) arg;
	__atomic_add_fetch (&arrived, 1, __ATOMIC_RELAXED);
	goad_chan_recv (channel, NULL);
	goad_wg_done (&ended);
}

enum { DETACHED = -1 };

/* Creates opt.count of them after `from` tasks, or without handles, and returns when all have
 * got going; the time that takes and the memory go to *r. */
static void create (goad_fn fn, struct result *r, long from)
{
	uint64_t rss0, tables0, rss1, tables1, t0;
	arrived = 0;
	bench_memory (&rss0, &tables0);
	t0 = bench_now ();
	if (from == DETACHED)
		for (long i = 0; i < opt.count; i++)
			bench_must (goad_go (fn, NULL), "goad_go");
	else
		for (long i = from; i < from + opt.count; i++)
			bench_must (goad_spawn (&task[i], NULL, fn, &task[i]), "goad_spawn");
	while (__atomic_load_n (&arrived, __ATOMIC_RELAXED) < opt.count)
		goad_yield ();
	r->create = (double) (bench_now () - t0) / (double) opt.count;
	bench_memory (&rss1, &tables1);
	r->rss = ((double) rss1 - (double) rss0) / (double) opt.count;
	r->tables = ((double) tables1 - (double) tables0) / (double) opt.count;
}

static void chains (struct result *r)
{
	open_ = 0;
	for (int i = 0; i < WIDTH; i++)
		bench_must (goad_spawn (&task[i], NULL, gate, NULL), "goad_spawn");
	create (chained, r, WIDTH);
	uint64_t t0 = bench_now ();
	__atomic_store_n (&open_, 1, __ATOMIC_RELEASE);
	for (int i = 0; i < WIDTH; i++)
		goad_join (task[opt.count + i]);
	r->wake = (double) (bench_now () - t0) / (double) opt.count;
}

static void closed (struct result *r)
{
	bench_must (goad_chan_create (&channel, 0, 0), "goad_chan_create");
	bench_must (goad_wg_add (&ended, (int) opt.count), "goad_wg_add");
	create (receiver, r, DETACHED);
	uint64_t t0 = bench_now ();
	goad_chan_close (channel);
	goad_wg_wait (&ended);
	r->wake = (double) (bench_now () - t0) / (double) opt.count;
	goad_chan_destroy (channel);
}

/* They must all sleep before the moment comes.  False: the time allowed was too short. */
static bool sleepers (struct result *r, uint64_t allow)
{
	wake_at = goad_after (allow);
	alive = opt.count;
	create (sleeper, r, 0);
	bool all = bench_now () < wake_at;
	for (long i = 0; i < opt.count; i++)
		goad_join (task[i]);
	r->wake = ((double) finished_at - (double) wake_at) / (double) opt.count;
	return all;
}

static void first (void *arg)
{
	(void) arg;
	if (strcmp (opt.shape, "sleep") != 0) {
		void (*round) (struct result *) = strcmp (opt.shape, "chain") == 0 ? chains : closed;
		round (&result[0]);
		round (&result[1]);
		return;
	}
	for (uint64_t allow = (uint64_t) opt.count * 4000; !sleepers (&result[0], allow);)
		allow *= 2;
}

int main (int argc, char **argv)
{
	opt.count = 1000000;
	opt.shape = "chain";
	bench_init (argc, argv);
	if (strcmp (opt.shape, "chain") != 0 && strcmp (opt.shape, "close") != 0 &&
	    strcmp (opt.shape, "sleep") != 0) {
		fprintf (stderr, "--shape: chain, close or sleep\n");
		return 2;
	}
	task = bench_alloc ((size_t) (opt.count + WIDTH) * sizeof (*task));
	bench_run (first, NULL, bench_preempt (opt.preempt));
	if (strcmp (opt.shape, "sleep") == 0) {
		bench_print ("wake_finish", result[0].wake, "ns");
		return bench_end ();
	}
	bench_print ("rss", result[0].rss, "B");
	bench_print ("page_tables", result[0].tables, "B");
	bench_print ("create", result[0].create, "ns");
	bench_print ("wake_finish", result[0].wake, "ns");
	bench_print ("create_again", result[1].create, "ns");
	bench_print ("wake_finish_again", result[1].wake, "ns");
	return bench_end ();
}
