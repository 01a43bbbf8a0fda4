# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/events.h \
	%D%/fairq.c \
	%D%/fairq.h \
	%D%/g.c \
	%D%/g.h \
	%D%/gate.c \
	%D%/gate.h \
	%D%/m.h \
	%D%/p.h \
	%D%/ring.c \
	%D%/ring.h \
	%D%/runq.c \
	%D%/runq.h \
	%D%/self.h \
	%D%/slab.c \
	%D%/slab.h \
	%D%/stack.c \
	%D%/stack.h
