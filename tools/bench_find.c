/* SPDX-License-Identifier: MIT */
/* bench_find.c - where the benchmarks and their twins are, and the building of Go's
 *
 * GOAD_BENCH_DIR is a list of directories, with colons between; else it is where `make
 * install' put things.  What is looked for there: `cases', the programs NAME, pthread/NAME
 * and the sources go/NAME.go.  Go's programs are built when first asked for, and kept in the
 * user's cache under a name that tells their source. */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <errno.h>
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

static const char *go_command (void)
{
	const char *go = getenv ("GO");

	return go != NULL && *go != '\0' ? go : "go";
}

/* Runs `go WORD...' to its end; its standard output goes to out, if there is one. */
static int go_run (const char *a, const char *b, const char *c, const char *d, char *out,
                   size_t size)
{
	int fd[2] = { -1, -1 }, status = -1;
	size_t len = 0;
	ssize_t n = 0;

	if (out != NULL && pipe (fd) != 0)
		return -errno;
	pid_t pid = fork ();
	if (pid == 0) {
		if (out != NULL && (dup2 (fd[1], STDOUT_FILENO) < 0 || close (fd[0]) < 0))
			_exit (127);
		execlp (go_command (), go_command (), a, b, c, d, (char *) NULL);
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
void bench_find_go (struct bench *b)
{
	char out[128];

	b->go[0] = '\0';
	if (go_run ("version", NULL, NULL, NULL, out, sizeof out) < 0 ||
	    sscanf (out, "go version %63s", b->go) != 1)
		b->go[0] = '\0';
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

static const char *go_program (struct bench *b, const char *name)
{
	static char built[4096];
	char source[4096], unfinished[4160];
	const char *found = bench_find ("go/", name, ".go", R_OK), *dir = cache ();
	uint64_t hash = UINT64_C (14695981039346656037);

	if (b->go[0] == '\0' || found == NULL)
		return NULL;
	snprintf (source, sizeof source, "%s", found);
	if (dir == NULL || !hash_file (source, &hash)) {
		util_error ("Go's %s is left out: no cache directory that is ours alone", name);
		return NULL;
	}
	for (const char *v = b->go; *v != '\0'; v++)
		hash = (hash ^ (uint64_t) *v) * UINT64_C (1099511628211);
	snprintf (built, sizeof built, "%s/%s-%016llx", dir, name, (unsigned long long) hash);
	if (access (built, X_OK) == 0)
		return built;
	if (getenv ("HOME") == NULL && getenv ("XDG_CACHE_HOME") == NULL)
		setenv ("GOCACHE", dir, 0);
	/* Under another name until it is whole: two may build at the same time. */
	snprintf (unfinished, sizeof unfinished, "%s.%ld", built, (long) getpid ());
	if (go_run ("build", "-o", unfinished, source, NULL, 0) < 0 || rename (unfinished, built) < 0) {
		util_error ("Go's %s is left out: it could not be built", name);
		unlink (unfinished);
		return NULL;
	}
	return built;
}

/* NULL: this machine does not have it. */
const char *bench_program (struct bench *b, enum side side, const char *name)
{
	if (!b->peer[side])
		return NULL;
	if (side == SIDE_GO)
		return go_program (b, name);
	return bench_find (side == SIDE_PTHREAD ? "pthread/" : "", name, "", X_OK);
}
