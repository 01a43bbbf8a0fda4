/* SPDX-License-Identifier: MIT */
/* bench_find.c - where the benchmarks and their twins are, and the building of some
 *
 * GOAD_BENCH_DIR is a list of directories, with colons between; else it is where `make
 * install' put things.  What is looked for there: `cases', the programs NAME, pthread/NAME
 * and the sources go/NAME.go and boost/NAME.cc, which are built here, for who installs goad
 * need not have Go or Boost. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#ifndef BENCH_PATH
#define BENCH_PATH "/usr/local/libexec/goad/bench:/usr/local/share/goad/bench"
#endif

const char *bench_path (void)
{
	const char *dir = getenv ("GOAD_BENCH_DIR");

	return dir != NULL && *dir != '\0' ? dir : BENCH_PATH;
}

const char *bench_find (const char *folder, const char *name, const char *suffix, int mode)
{
	static char path[4096];

	for (const char *p = bench_path (); *p != '\0';) {
		size_t len = strcspn (p, ":");

		snprintf (path, sizeof path, "%.*s/%s%s%s", (int) len, p, folder, name, suffix);
		if (len > 0 && access (path, mode) == 0)
			return path;
		p += len + (p[len] == ':');
	}
	return NULL;
}

static const char *tool (const char *variable, const char *otherwise)
{
	const char *name = getenv (variable);

	return name != NULL && *name != '\0' ? name : otherwise;
}

/* Runs a tool to its end; its standard output goes to out, if there is one, and what it
 * complains of is not shown if quiet. */
static int run_tool (const char *const argv[], bool quiet, char *out, size_t size)
{
	int fd[2] = { -1, -1 }, status = -1;
	size_t len = 0;
	ssize_t n = 0;

	if (out != NULL && pipe (fd) != 0)
		return -errno;
	pid_t pid = fork ();
	if (pid == 0) {
		int null = quiet ? open ("/dev/null", O_WRONLY) : -1;

		if (null >= 0)
			dup2 (null, STDERR_FILENO);
		if (out != NULL && (dup2 (fd[1], STDOUT_FILENO) < 0 || close (fd[0]) < 0))
			_exit (127);
		execvp (argv[0], (char *const *) argv);
		_exit (127);
	}
	if (out != NULL) {
		close (fd[1]);
		while (pid > 0 && len + 1 < size && (n = read (fd[0], out + len, size - 1 - len)) > 0)
			len += (size_t) n;
		out[len] = '\0';
		close (fd[0]);
	}
	if (pid < 0 || waitpid (pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED (status) && WEXITSTATUS (status) == 0 ? 0 : -ECHILD;
}

/* "go version go1.19.8 linux/amd64". */
static void find_go (struct bench *b)
{
	const char *const argv[] = { tool ("GO", "go"), "version", NULL };
	char out[128];

	if (run_tool (argv, true, out, sizeof out) < 0 || sscanf (out, "go version %63s", b->go) != 1)
		b->go[0] = '\0';
	b->peer[SIDE_GO] = b->peer[SIDE_GO] && b->go[0] != '\0';
}

/* A directory of the user's own, made if need be. */
static const char *cache (void)
{
	static char dir[2048];
	const char *base = getenv ("XDG_CACHE_HOME"), *home = getenv ("HOME");
	struct stat st;

	if (base != NULL && *base == '/')
		snprintf (dir, sizeof dir, "%s", base);
	else if (home != NULL && *home == '/')
		snprintf (dir, sizeof dir, "%s/.cache", home);
	else
		snprintf (dir, sizeof dir, "/tmp/goad-%u", (unsigned) geteuid ());
	(void) mkdir (dir, 0700);
	size_t len = strlen (dir);
	snprintf (dir + len, sizeof dir - len, "/goad-bench");
	(void) mkdir (dir, 0700);
	/* What lies there is run: nobody else may have put it there. */
	if (stat (dir, &st) != 0 || st.st_uid != geteuid () || (st.st_mode & 022) != 0)
		return NULL;
	return dir;
}

/* FNV-1a of what the file holds. */
static bool hash_file (const char *path, uint64_t *hash)
{
	FILE *f = fopen (path, "r");
	int c;

	if (f == NULL)
		return false;
	while ((c = getc (f)) != EOF)
		*hash = (*hash ^ (uint64_t) c) * UINT64_C (1099511628211);
	fclose (f);
	return true;
}

static bool build (enum side side, const char *source, const char *to)
{
	const char *const go[] = { tool ("GO", "go"), "build", "-o", to, source, NULL };
	const char *const boost[] = {
		tool ("CXX", "c++"), "-O2", "-std=c++17", "-pthread", "-o", to, source, "-lboost_fiber",
		"-lboost_context",   NULL
	};

	/* Whether Boost is there is found out by trying. */
	return run_tool (side == SIDE_GO ? go : boost, side == SIDE_BOOST, NULL, 0) == 0;
}

/* A program is built when it is first asked for, and kept under a name that tells what it
 * was made of. */
static const char *built_program (struct bench *b, enum side side, const char *name)
{
	static char built[4096];
	char source[4096], unfinished[4160];
	const char *found = bench_find (side == SIDE_GO ? "go/" : "boost/", name,
	                                side == SIDE_GO ? ".go" : ".cc", R_OK);
	uint64_t hash = UINT64_C (14695981039346656037);

	if (found == NULL)
		return NULL;
	snprintf (source, sizeof source, "%s", found);
	const char *dir = cache (), *shared = bench_find ("boost/", "fiber", ".hh", R_OK);
	if (dir == NULL || !hash_file (source, &hash) ||
	    (side == SIDE_BOOST && (shared == NULL || !hash_file (shared, &hash)))) {
		util_error ("%s's %s is left out: no cache directory that is ours alone", bench_sides[side],
		            name);
		return NULL;
	}
	for (const char *v = side == SIDE_GO ? b->go : ""; *v != '\0'; v++)
		hash = (hash ^ (uint64_t) *v) * UINT64_C (1099511628211);
	snprintf (built, sizeof built, "%s/%s-%s-%016llx", dir, bench_sides[side], name,
	          (unsigned long long) hash);
	if (access (built, X_OK) == 0)
		return built;
	if (getenv ("HOME") == NULL && getenv ("XDG_CACHE_HOME") == NULL)
		setenv ("GOCACHE", dir, 0);
	bench_progress ("is being built", source);
	/* Under another name until it is whole: two may build at the same time. */
	snprintf (unfinished, sizeof unfinished, "%s.%ld", built, (long) getpid ());
	if (build (side, source, unfinished) && rename (unfinished, built) == 0)
		return built;
	unlink (unfinished);
	if (side == SIDE_GO || b->asked)
		util_error ("%s's %s is left out: it could not be built", bench_sides[side], name);
	b->peer[side] = side == SIDE_GO;
	return NULL;
}

/* NULL: this machine does not have it. */
const char *bench_program (struct bench *b, enum side side, const char *name)
{
	if (!b->peer[side])
		return NULL;
	if (side == SIDE_GO || side == SIDE_BOOST)
		return built_program (b, side, name);
	return bench_find (side == SIDE_PTHREAD ? "pthread/" : "", name, "", X_OK);
}

/* Builds what will be wanted, and leaves out the peers of whom there is nothing. */
void bench_find_peers (struct bench *b)
{
	if (b->peer[SIDE_GO])
		find_go (b);
	for (unsigned side = SIDE_GO; side < SIDES; side++) {
		bool any = false;

		for (unsigned i = 0; i < b->cases_n; i++) {
			const struct bench_case *c = &b->cases[i];

			if (c->chosen && !c->absent[side] && bench_program (b, side, c->program) != NULL)
				any = true;
		}
		b->peer[side] = any;
	}
	bench_progress (NULL, NULL);
}
