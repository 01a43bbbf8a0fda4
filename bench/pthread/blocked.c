/* SPDX-License-Identifier: MIT */
/* The twin of blocked.c: kernel threads in read(2) beside others that compute. */
#include "../bench.h"

#include <pthread.h>
#include <unistd.h>

#define THREADS_MAX 256
#define PAUSE (4 * BENCH_MS)

static struct bench_line line[THREADS_MAX];
static struct bench_samples late[THREADS_MAX], all;
static uint64_t deadline;
static int ends[THREADS_MAX][2];

static void *hog (void *arg)
{
	bench_hog (arg, deadline);
	return NULL;
}

static void *read_on (void *arg)
{
	long i = (long) arg;
	uint64_t sent;

	while (read (ends[i][0], &sent, sizeof sent) == (ssize_t) sizeof sent && sent != 0)
		bench_add (&late[i], (double) (bench_now () - sent) / 1e6);
	return NULL;
}

static void write_on (long readers)
{
	uint64_t word;

	for (long i = 0; (word = bench_now ()) < deadline; i++) {
		if (write (ends[i % readers][1], &word, sizeof word) < 0)
			break;
		usleep (PAUSE / 1000);
	}
	word = 0;
	for (long i = 0; i < readers; i++)
		if (write (ends[i][1], &word, sizeof word) < 0)
			break;
}

int main (int argc, char **argv)
{
	pthread_t thread[2 * THREADS_MAX];
	uint64_t work = 0;
	long n = 0, readers;

	opt.procs = 2;
	opt.hogs = 4;
	opt.time_ns = 2000 * BENCH_MS;
	bench_init (argc, argv);
	readers = opt.procs;
	if (opt.hogs < 0 || opt.hogs > THREADS_MAX || readers > THREADS_MAX)
		return 2;
	bench_use_cpus (opt.procs);
	bench_samples_init (&all, opt.time_ns / PAUSE + 2);
	deadline = bench_now () + opt.time_ns;
	for (long i = 0; i < readers; i++) {
		if (pipe (ends[i]) != 0)
			return 2;
		bench_samples_init (&late[i], opt.time_ns / PAUSE + 2);
		pthread_create (&thread[n++], NULL, read_on, (void *) i);
	}
	for (long i = 0; i < opt.hogs; i++)
		pthread_create (&thread[n++], NULL, hog, &line[i]);
	write_on (readers);
	while (n-- > 0)
		pthread_join (thread[n], NULL);
	for (long i = 0; i < readers; i++)
		for (size_t k = 0; k < late[i].n; k++)
			bench_add (&all, late[i].v[k]);
	for (long i = 0; i < opt.hogs; i++)
		work += line[i].n;
	bench_print ("read_p50", bench_median (&all), "ms");
	bench_print ("read_p99", bench_quantile (&all, 0.99), "ms");
	bench_print ("resume_p50", bench_median (&all), "ms");
	bench_print ("resume_p99", bench_quantile (&all, 0.99), "ms");
	bench_print ("work", (double) work / ((double) opt.time_ns / 1e9), "blocks/s");
	return bench_end ();
}
