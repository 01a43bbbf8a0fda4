/* SPDX-License-Identifier: MIT */
/* blocked.c - coroutines in a plain read(2) beside hogs: how soon do they go on, and what do
 * the hogs get meanwhile?
 *
 * As many readers as Ps, each on a pipe of its own, which a thread outside writes to now and
 * then.  `read` is the time from the write to the line after the read, `resume` to the line
 * after the first call into the runtime behind it, from where on the reader competes like any
 * other.  `work` is what the hogs got done. */
#include "bench.h"
#include "runtime.h"

#include <pthread.h>
#include <unistd.h>

#define HOGS_MAX 256
#define READERS_MAX 64
#define PAUSE (4 * BENCH_MS) /* between two writes */

static struct bench_line line[HOGS_MAX];
static struct bench_samples late_read, late_resume;
static uint64_t deadline;
static int ends[READERS_MAX][2];
static long readers;

static void hog (void *arg)
{
	bench_hog (arg, deadline);
}

/* Samples are kept apart, and added up at the end: two readers may run at once. */
struct reader {
	int fd;
	struct bench_samples read, resume;
};
static struct reader reader[READERS_MAX];

static void read_on (void *arg)
{
	struct reader *r = arg;
	uint64_t sent;

	while (read (r->fd, &sent, sizeof sent) == (ssize_t) sizeof sent && sent != 0) {
		bench_add (&r->read, (double) (bench_now () - sent) / 1e6);
		goad_yield ();
		bench_add (&r->resume, (double) (bench_now () - sent) / 1e6);
	}
}

static void *writer (void *arg)
{
	uint64_t word;
	(void) arg;

	for (long i = 0; (word = bench_now ()) < deadline; i++) {
		if (write (ends[i % readers][1], &word, sizeof word) < 0)
			break;
		usleep (PAUSE / 1000);
	}
	word = 0;
	for (long i = 0; i < readers; i++)
		if (write (ends[i][1], &word, sizeof word) < 0)
			break;
	return NULL;
}

static void first (void *arg)
{
	goad_task_t *task[HOGS_MAX + READERS_MAX];
	long n = 0;
	(void) arg;

	for (long i = 0; i < readers; i++)
		bench_must (goad_spawn (&task[n++], NULL, read_on, &reader[i]), "goad_spawn");
	for (long i = 0; i < opt.hogs; i++)
		bench_must (goad_spawn (&task[n++], NULL, hog, &line[i]), "goad_spawn");
	while (n-- > 0)
		goad_join (task[n]);
}

static void merge (struct bench_samples *to, const struct bench_samples *from)
{
	for (size_t i = 0; i < from->n; i++)
		bench_add (to, from->v[i]);
}

int main (int argc, char **argv)
{
	pthread_t thread;
	uint64_t work = 0;
	size_t most;

	opt.procs = 2;
	opt.hogs = 4;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	readers = opt.procs;
	if (opt.hogs < 0 || opt.hogs > HOGS_MAX || readers > READERS_MAX)
		return 2;
	most = opt.time_ns / PAUSE + 2;
	bench_samples_init (&late_read, most);
	bench_samples_init (&late_resume, most);
	for (long i = 0; i < readers; i++) {
		if (pipe (ends[i]) != 0)
			return 2;
		reader[i].fd = ends[i][0];
		bench_samples_init (&reader[i].read, most);
		bench_samples_init (&reader[i].resume, most);
	}
	deadline = bench_now () + opt.time_ns;
	pthread_create (&thread, NULL, writer, NULL);
	bench_run (first, NULL, bench_preempt (opt.preempt));
	pthread_join (thread, NULL);
	for (long i = 0; i < readers; i++) {
		merge (&late_read, &reader[i].read);
		merge (&late_resume, &reader[i].resume);
	}
	bench_print ("read_p50", bench_median (&late_read), "ms");
	bench_print ("read_p99", bench_quantile (&late_read, 0.99), "ms");
	bench_print ("resume_p50", bench_median (&late_resume), "ms");
	bench_print ("resume_p99", bench_quantile (&late_resume, 0.99), "ms");
	for (long i = 0; i < opt.hogs; i++)
		work += line[i].n;
	bench_print ("work", (double) work / ((double) opt.time_ns / 1e9), "blocks/s");
	return bench_end ();
}
