# SPDX-License-Identifier: MIT
include_HEADERS = %D%/goad.h
goadincludedir = $(includedir)/goad
goadinclude_HEADERS = \
	%D%/goad/chan.h \
	%D%/goad/debug.h \
	%D%/goad/io.h \
	%D%/goad/sched.h \
	%D%/goad/starve.h \
	%D%/goad/sync.h \
	%D%/goad/time.h \
	%D%/goad/top.h
