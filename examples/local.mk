# SPDX-License-Identifier: MIT
# Programs and shared objects that show goad at work; built, never installed.  tests/install/examples
# runs the programs.  The objects know nothing of goad: what `goad run` loads is .libs/NAME.so
# beside the .la file.
examples = \
	%D%/echo \
	%D%/hello \
	%D%/nursery/main \
	%D%/producers \
	%D%/quicksort \
	%D%/sieve \
	%D%/skynet \
	%D%/stats \
	%D%/ticker \
	%D%/web \
	%D%/weights
noinst_PROGRAMS += $(examples)
%C%_echo_LDADD = lib/libgoad.la
%C%_hello_LDADD = lib/libgoad.la
%C%_nursery_main_SOURCES = \
	%D%/nursery/main.c \
	%D%/nursery/nursery.c \
	%D%/nursery/nursery.h
%C%_nursery_main_LDADD = lib/libgoad.la
%C%_producers_LDADD = lib/libgoad.la
%C%_quicksort_LDADD = lib/libgoad.la
%C%_sieve_LDADD = lib/libgoad.la
%C%_skynet_LDADD = lib/libgoad.la
%C%_stats_LDADD = lib/libgoad.la
%C%_ticker_LDADD = lib/libgoad.la
%C%_web_LDADD = lib/libgoad.la
%C%_weights_LDADD = lib/libgoad.la

noinst_LTLIBRARIES += \
	%D%/hogs/loop.la \
	%D%/hogs/storm.la
%C%_hogs_loop_la_LDFLAGS = $(so_flags)
%C%_hogs_storm_la_LDFLAGS = $(so_flags)

EXTRA_DIST += %D%/hogs/endless.lua

# Other projects' builds, each of its own: tests/install/ci builds them.
EXTRA_DIST += \
	%D%/ci/README.md \
	%D%/ci/automake/Makefile.am \
	%D%/ci/automake/configure.ac \
	%D%/ci/automake/fair.tap \
	%D%/ci/bounds.txt \
	%D%/ci/cmake/CMakeLists.txt \
	%D%/ci/fair.c \
	%D%/ci/queue.c \
	%D%/ci/queue.h \
	%D%/ci/queue_test.c \
	%D%/ci/shell/ci.sh
