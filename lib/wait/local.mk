# SPDX-License-Identifier: MIT
lib_libgoad_core_la_SOURCES += \
	%D%/join.c \
	%D%/join.h \
	%D%/sleep.c \
	%D%/sleep.h
