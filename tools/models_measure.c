/* SPDX-License-Identifier: MIT */
/* models_measure.c - the experiments, each written once for all worlds */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "models.h"

enum { REPEAT_MAX = 16, OTHERS_MAX = 256, PERIOD = 1000000, KERNEL_STACK = 16384 };

/* Memory that all members of a world see, processes too. */
static struct shared {
	union gate gate[2], arrived, release;
	unsigned turns;
	const struct world *world;
	uint64_t end, work;
	atomic_bool stop;
} * shared;

/* Not shared: what fork returns is stored by the child too. */
static union handle *handles;

static void *shared_memory (size_t size)
{
	void *p = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
	                -1, 0);

	return p != MAP_FAILED ? p : NULL;
}

static int compare (const void *a, const void *b)
{
	double x = *(const double *) a, y = *(const double *) b;

	return (x > y) - (x < y);
}

static struct models_value median (double *v, unsigned n)
{
	qsort (v, n, sizeof *v, compare);
	return (struct models_value){ .known = true, .value = v[n / 2], .min = v[0], .max = v[n - 1] };
}

/* Spawns n of them; how many it could. */
static unsigned spawn_all (const struct world *w, unsigned n, void (*fn) (void *), void *arg)
{
	unsigned i = 0;

	while (i < n && w->spawn (&handles[i], fn, arg))
		i++;
	return i;
}

static void join_all (const struct world *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		w->join (handles[i]);
}

/* ---- create: one that does nothing, from its birth to its end ---- */

static void nothing (void *arg)
{
	(void) arg;
}

static bool create (const struct models *m, const struct world *w, double *out)
{
	uint64_t begin = goad_now ();
	unsigned n = spawn_all (w, w->batch, nothing, NULL);

	(void) m;
	join_all (w, n);
	*out = (double) (goad_now () - begin) / w->batch;
	return n == w->batch;
}

/* ---- switch: two that wake each other in turn, on one CPU ---- */

static void take_turns (void *arg)
{
	unsigned me = (unsigned) (uintptr_t) arg;

	for (unsigned i = 0; i < shared->turns; i++) {
		shared->world->wait (&shared->gate[me]);
		shared->world->post (&shared->gate[1 - me]);
	}
}

/* The kernel's would be measured with the waking of another CPU, which is dear. */
static void use_one_cpu (cpu_set_t *before)
{
	cpu_set_t one;
	int cpu = 0;

	CPU_ZERO (before);
	sched_getaffinity (0, sizeof *before, before);
	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET (cpu, before))
		cpu++;
	CPU_ZERO (&one);
	CPU_SET (cpu, &one);
	sched_setaffinity (0, sizeof one, &one);
}

static bool hand_over (const struct models *m, const struct world *w, double *out)
{
	bool kernel = w == &models_worlds[MODEL_PROCESS] || w == &models_worlds[MODEL_THREAD];
	union handle h[2] = { { 0 } };
	cpu_set_t before;

	shared->turns = m->quick ? w->turns / 5 : w->turns;
	if (kernel)
		use_one_cpu (&before);
	w->open (&shared->gate[0]);
	w->open (&shared->gate[1]);
	bool ok = w->spawn (&h[0], take_turns, NULL) && w->spawn (&h[1], take_turns, (void *) 1);
	uint64_t begin = goad_now ();
	w->post (&shared->gate[0]);
	if (ok) {
		w->join (h[0]);
		w->join (h[1]);
	}
	*out = (double) (goad_now () - begin) / (2.0 * shared->turns);
	if (kernel)
		sched_setaffinity (0, sizeof before, &before);
	return ok;
}

/* ---- memory: many that wait ---- */

static void wait_for_release (void *arg)
{
	(void) arg;
	shared->world->post (&shared->arrived);
	shared->world->wait (&shared->release);
}

static double field (const char *path, const char *name)
{
	FILE *f = fopen (path, "r");
	char line[256];
	double kib = 0, v;

	while (f != NULL && fgets (line, sizeof line, f) != NULL)
		if (strncmp (line, name, strlen (name)) == 0 &&
		    sscanf (line + strcspn (line, ":") + 1, "%lf", &v) == 1)
			kib += v;
	if (f != NULL)
		fclose (f);
	return 1024 * kib;
}

/* What would be gone with a process: its own pages and page tables. */
static double memory_of (const char *who)
{
	char path[64];
	double own;

	snprintf (path, sizeof path, "/proc/%s/smaps_rollup", who);
	own = field (path, "Private_");
	snprintf (path, sizeof path, "/proc/%s/status", who);
	return own + field (path, "VmPTE");
}

static double threads_of_self (void)
{
	return field ("/proc/self/status", "Threads") / 1024;
}

/* The parent's pages are its own no longer once it has children, so it is left out there. */
static bool memory (const struct models *m, const struct world *w, double *out)
{
	bool processes = w == &models_worlds[MODEL_PROCESS];
	double before = memory_of ("self"), threads = threads_of_self (), all = 0;
	char pid[16];

	(void) m;
	w->open (&shared->arrived);
	w->open (&shared->release);
	unsigned n = spawn_all (w, w->many, wait_for_release, NULL);
	for (unsigned i = 0; i < n; i++)
		w->wait (&shared->arrived);
	if (!processes)
		all = memory_of ("self") - before + KERNEL_STACK * (threads_of_self () - threads);
	for (unsigned i = 0; i < n && processes; i++) {
		snprintf (pid, sizeof pid, "%d", (int) handles[i].process);
		all += memory_of (pid) + KERNEL_STACK;
	}
	for (unsigned i = 0; i < n; i++)
		w->post (&shared->release);
	join_all (w, n);
	*out = all / w->many;
	return n == w->many && all > 0;
}

/* ---- speed-up: the same work by one, and shared by many ---- */

static void compute (uint64_t rounds)
{
	uint64_t x = 88172645463325252u;

	for (uint64_t i = 0; i < rounds; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	__asm__ volatile("" : : "r"(x));
}

static void work (void *arg)
{
	(void) arg;
	compute (shared->work);
}

static double time_of (const struct world *w, unsigned n, uint64_t rounds)
{
	uint64_t begin = goad_now ();

	shared->work = rounds;
	n = spawn_all (w, n, work, NULL);
	join_all (w, n);
	return (double) (goad_now () - begin);
}

static bool speedup (const struct models *m, const struct world *w, double *out)
{
	unsigned n = 4 * m->cpus < OTHERS_MAX ? 4 * m->cpus : OTHERS_MAX;
	uint64_t rounds = m->quick ? 4000000 : 12000000; /* milliseconds of work */
	double one = time_of (w, 1, n * rounds);

	*out = one / time_of (w, n, rounds);
	return true;
}

/* ---- what one does to the others: how late is who wants to run each millisecond? ---- */

static void block (void *arg)
{
	struct timespec ts = { (time_t) (shared->work / GOAD_S), (long) (shared->work % GOAD_S) };

	(void) arg;
	nanosleep (&ts, NULL); /* in the kernel, and nobody was told */
}

static void loop (void *arg)
{
	(void) arg;
	/* It looks at the clock, so that there is an end; it would go on for ever. */
	while (!atomic_load_explicit (&shared->stop, memory_order_relaxed) && goad_now () < shared->end)
		compute (2000);
}

static double latest_tick (const struct models *m, const struct world *w)
{
	uint64_t begin = goad_now (), late = 0;

	for (uint64_t due = begin + PERIOD; due < begin + m->span_ns; due += PERIOD) {
		uint64_t now;

		w->sleep_until (due);
		now = goad_now ();
		late = now > due && now - due > late ? now - due : late;
	}
	return (double) late;
}

static bool disturbed (const struct models *m, const struct world *w, void (*fn) (void *),
                       double *out)
{
	unsigned n = m->cpus < OTHERS_MAX ? m->cpus : OTHERS_MAX;

	atomic_store (&shared->stop, false);
	shared->end = goad_now () + m->span_ns;
	shared->work = m->span_ns / (2 * n);
	n = spawn_all (w, n, fn, NULL);
	*out = latest_tick (m, w);
	atomic_store (&shared->stop, true);
	join_all (w, n);
	return n > 0;
}

static bool beside_calls (const struct models *m, const struct world *w, double *out)
{
	return disturbed (m, w, block, out);
}

static bool beside_loops (const struct models *m, const struct world *w, double *out)
{
	return disturbed (m, w, loop, out);
}

/* Memory comes first: later ones find stacks that earlier ones have touched.  One repetition
 * of a delay looks at hundreds of milliseconds. */
static const struct {
	unsigned row;
	enum { ONCE, FEW, FULL } repeat;
	bool (*measure) (const struct models *m, const struct world *w, double *out);
} experiments[] = {
	{ ROW_MEMORY, ONCE, memory },     { ROW_CREATE, FULL, create },
	{ ROW_SWITCH, FULL, hand_over },  { ROW_SPEEDUP, FULL, speedup },
	{ ROW_BLOCK, FEW, beside_calls }, { ROW_LOOP, FEW, beside_loops },
};

static unsigned repetitions (const struct models *m, size_t experiment)
{
	switch (experiments[experiment].repeat) {
	case ONCE:
		return 1;
	case FEW:
		return (m->repeat + 2) / 3;
	default:
		return m->repeat;
	}
}

struct task {
	const struct models *models;
	struct models_value *values;
};

static void measure_all (void *arg)
{
	struct task t = *(struct task *) arg;

	for (size_t i = 0; i < UTIL_COUNT (experiments); i++) {
		unsigned row = experiments[i].row, n = 0, repeat = repetitions (t.models, i);
		double v[REPEAT_MAX];

		while (n < repeat && n < REPEAT_MAX &&
		       experiments[i].measure (t.models, shared->world, &v[n]))
			n++;
		if (n == 0)
			continue;
		t.values[row] = median (v, n);
		/* Longer than all of the calls or loops no wait can last. */
		if (row == ROW_LOOP)
			t.values[row].endless = t.values[row].value > 0.9 * (double) t.models->span_ns;
	}
}

void models_measure (struct models *m, const struct world *w, struct models_value *values)
{
	struct task t = { m, values };
	unsigned most = w->many > w->batch ? w->many : w->batch;

	shared = shared_memory (sizeof *shared);
	handles = calloc (most > OTHERS_MAX ? most : OTHERS_MAX, sizeof *handles);
	if (shared == NULL || handles == NULL)
		return;
	shared->world = w;
	(void) w->enter (measure_all, &t);
}
