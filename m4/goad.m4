# SPDX-License-Identifier: MIT
# Checks that goad's configure.ac makes more than once.

# GOAD_MISSING (what, Debian package): something needed is not there
AC_DEFUN([GOAD_MISSING],
	[AC_MSG_ERROR([$1 is needed and was not found
  Debian and its kin: apt-get install $2
  (or let ./bootstrap do it)])])

# GOAD_ENABLE (feature, help, [if enabled]): --enable-feature, off by default
AC_DEFUN([GOAD_ENABLE],
	[AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])], [],
		[AS_VAR_SET([enable_]m4_translit([$1], [-], [_]), [no])])
	AS_IF([test "$enable_[]m4_translit([$1], [-], [_])" = yes], [m4_default([$3], [:])])])

# GOAD_LINKS (flags, if it links, if not)
AC_DEFUN([GOAD_LINKS],
	[goad_links_save=$LDFLAGS
	LDFLAGS="$LDFLAGS $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [goad_links=yes], [goad_links=no])
	LDFLAGS=$goad_links_save
	AS_IF([test "$goad_links" = yes], [m4_default([$2], [:])], [m4_default([$3], [:])])])

# GOAD_FLAGS (language, variable, flags): those of the flags that the compiler takes
AC_DEFUN([GOAD_FLAGS],
	[AC_LANG_PUSH([$1])
	$2=
	for goad_flag in m4_normalize([$3]); do
		AS_VAR_PUSHDEF([cached], [goad_cv_[]_AC_LANG_ABBREV[]_flag_$goad_flag])
		AC_CACHE_CHECK([whether the $1 compiler takes $goad_flag], [cached],
			[goad_save_werror=$ac_[]_AC_LANG_ABBREV[]_werror_flag
			ac_[]_AC_LANG_ABBREV[]_werror_flag=yes
			AS_VAR_COPY([goad_save_flags], _AC_LANG_PREFIX[FLAGS])
			_AC_LANG_PREFIX[]FLAGS="$goad_save_flags $$2 $goad_flag"
			AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
				[AS_VAR_SET([cached], [yes])], [AS_VAR_SET([cached], [no])])
			_AC_LANG_PREFIX[]FLAGS=$goad_save_flags
			ac_[]_AC_LANG_ABBREV[]_werror_flag=$goad_save_werror])
		AS_VAR_IF([cached], [yes], [AS_VAR_APPEND([$2], [" $goad_flag"])])
		AS_VAR_POPDEF([cached])
	done
	AC_LANG_POP([$1])
	AC_SUBST([$2])])

# GOAD_LINK_FLAGS (variable, flags): those of the flags that the linker takes
AC_DEFUN([GOAD_LINK_FLAGS],
	[$1=
	for goad_flag in m4_normalize([$2]); do
		AS_VAR_PUSHDEF([cached], [goad_cv_ld_flag_$goad_flag])
		AC_CACHE_CHECK([whether the linker takes $goad_flag], [cached],
			[GOAD_LINKS([$goad_flag], [AS_VAR_SET([cached], [yes])],
				[AS_VAR_SET([cached], [no])])])
		AS_VAR_IF([cached], [yes], [AS_VAR_APPEND([$1], [" $goad_flag"])])
		AS_VAR_POPDEF([cached])
	done
	AC_SUBST([$1])])

# GOAD_OPTIONAL (NAME, Debian package, tries): a library that is used if it is there and if
# --without-name was not given.  The tries, in turn until one succeeds, are GOAD_TRY_PKG,
# GOAD_TRY_LIB, GOAD_TRY_HEADER.  What is left behind: HAVE_NAME for C and for Automake,
# NAME_CFLAGS and NAME_LIBS, and use_NAME, a line for the summary.
AC_DEFUN([GOAD_OPTIONAL],
	[AC_ARG_WITH(m4_tolower([$1]),
		[AS_HELP_STRING([--without-]m4_tolower([$1]), [leave it out (Debian: $2)])],
		[], [AS_VAR_SET([with_]m4_tolower([$1]), [yes])])
	have_$1=no
	AS_IF([test "$with_[]m4_tolower([$1])" != no], [$3])
	AS_IF([test "$have_$1" = yes],
		[use_$1=yes
		AC_DEFINE([HAVE_$1], [1], [Define to 1 if this is used: $2.])],
		[use_$1="no (Debian: $2)" $1_CFLAGS= $1_LIBS=])
	AC_SUBST([$1_CFLAGS])
	AC_SUBST([$1_LIBS])
	AM_CONDITIONAL([HAVE_$1], [test "$have_$1" = yes])])

# GOAD_TRY_PKG (NAME, pkg-config module)
AC_DEFUN([GOAD_TRY_PKG],
	[AS_IF([test "$have_$1" = no],
		[PKG_CHECK_MODULES([$1], [$2], [have_$1=yes], [have_$1=no])])])

# GOAD_TRY_LIB (NAME, header, library, function): for what has no .pc file
AC_DEFUN([GOAD_TRY_LIB],
	[AS_IF([test "$have_$1" = no],
		[AC_CHECK_HEADER([$2], [AC_CHECK_LIB([$3], [$4],
			[have_$1=yes $1_CFLAGS= $1_LIBS=-l$3])])])])

# GOAD_TRY_HEADER (NAME, header)
AC_DEFUN([GOAD_TRY_HEADER],
	[AS_IF([test "$have_$1" = no], [AC_CHECK_HEADER([$2], [have_$1=yes $1_CFLAGS= $1_LIBS=])])])
