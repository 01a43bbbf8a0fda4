# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/cell.h \
	%D%/census.c \
	%D%/classify.c \
	%D%/classify.h \
	%D%/decide.c \
	%D%/decode.c \
	%D%/decode.h \
	%D%/elf.c \
	%D%/elf.h \
	%D%/frames.c \
	%D%/frames.h \
	%D%/funcs.c \
	%D%/funcs.h \
	%D%/imports.c \
	%D%/imports.h \
	%D%/maps.c \
	%D%/maps.h \
	%D%/modules.c \
	%D%/modules.h \
	%D%/peek.c \
	%D%/peek.h \
	%D%/preempt.h \
	%D%/request.c \
	%D%/rules.c \
	%D%/safepoint.c \
	%D%/safepoint.h \
	%D%/sample.c \
	%D%/sample.h \
	%D%/signal.c \
	%D%/taint.c \
	%D%/taint.h \
	%D%/walk.c \
	%D%/walk.h
