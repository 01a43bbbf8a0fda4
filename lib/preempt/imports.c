/* SPDX-License-Identifier: MIT */
/* imports.c - the table of names whose effect is kept per thread
 *
 * A name ending in * stands for all that begin so.  Not listed, on purpose:
 * semaphores, barriers, condition variables, pthread_once and pthread_create keep no
 * owner (a condition variable's mutex is listed); malloc and stdio give their locks
 * back before they return; _setjmp and longjmp stay on the coroutine's stack;
 * the floating-point environment goes with the coroutine; sched_getcpu and
 * CLOCK_THREAD_CPUTIME_ID give values that are hints on any thread; dlopen and dlsym
 * are used by programs that would have to be bound for that alone, and what they find
 * is judged when it is on the stack.
 */
#include "preempt/imports.h"

#include <string.h>

struct entry {
	const char *name;
	enum goad__effect effect;
	const char *why;
};

#define OBJ GOAD__EFFECT_OBJECT
#define GIV GOAD__EFFECT_GIVER

static const struct entry table[] = {
	/* Locks that know their owner, or may be of a type that does. */
	{ "pthread_mutex_*", OBJ, "imports pthread_mutex_*: a mutex may record its owner" },
	{ "__pthread_mutex_*", OBJ, "imports pthread_mutex_*: a mutex may record its owner" },
	{ "pthread_rwlock_*", OBJ, "imports pthread_rwlock_*: a writer is recorded by its thread" },
	{ "__pthread_rwlock_*", OBJ, "imports pthread_rwlock_*: a writer is recorded by its thread" },
	{ "pthread_spin_*", OBJ,
	  "imports pthread_spin_*: a holder switched away blocks whole threads" },
	{ "mtx_*", OBJ, "imports mtx_*: a mutex may record its owner" },
	{ "__cxa_guard_*", OBJ, "imports __cxa_guard_*: the guard may record the thread that runs it" },
	/* In a FILE the lock's owner is the thread; within one function that is seen. */
	{ "flockfile", GOAD__EFFECT_LOCK, "calls flockfile: a FILE's lock records its owner" },
	{ "ftrylockfile", GOAD__EFFECT_LOCK, "calls ftrylockfile: a FILE's lock records its owner" },
	{ "funlockfile", GOAD__EFFECT_UNLOCK, "calls funlockfile: a FILE's lock records its owner" },
	/* Values kept per thread. */
	{ "pthread_getspecific", OBJ, "imports pthread_getspecific: values kept per thread" },
	{ "pthread_setspecific", OBJ, "imports pthread_setspecific: values kept per thread" },
	{ "__pthread_getspecific", OBJ, "imports pthread_getspecific: values kept per thread" },
	{ "__pthread_setspecific", OBJ, "imports pthread_setspecific: values kept per thread" },
	{ "pthread_key_*", OBJ, "imports pthread_key_*: values kept per thread" },
	{ "__pthread_key_create", OBJ, "imports pthread_key_*: values kept per thread" },
	{ "tss_*", OBJ, "imports tss_*: values kept per thread" },
	{ "__tls_get_addr", OBJ, "imports __tls_get_addr: uses thread-locals" },
	{ "__emutls_get_address", OBJ, "imports __emutls_get_address: uses thread-locals" },
	{ "__cxa_thread_atexit*", OBJ, "imports __cxa_thread_atexit: thread-locals with destructors" },
	/* Names of the thread itself. */
	{ "pthread_self", OBJ, "imports pthread_self: the thread's name may be kept" },
	{ "thrd_current", OBJ, "imports thrd_current: the thread's name may be kept" },
	{ "gettid", OBJ, "imports gettid: the thread's number may be kept" },
	{ "syscall", OBJ, "imports syscall: may be gettid or a futex that records its owner" },
	/* Settings of the thread. */
	{ "uselocale", OBJ, "imports uselocale: the locale is the thread's" },
	{ "sigprocmask", OBJ, "imports sigprocmask: the signal mask is the thread's" },
	{ "pthread_sigmask", OBJ, "imports pthread_sigmask: the signal mask is the thread's" },
	{ "thr_sigsetmask", OBJ, "imports thr_sigsetmask: the signal mask is the thread's" },
	{ "siglongjmp", OBJ, "imports siglongjmp: sets the thread's signal mask" },
	{ "sigblock", OBJ, "imports sigblock: the signal mask is the thread's" },
	{ "sigsetmask", OBJ, "imports sigsetmask: the signal mask is the thread's" },
	{ "sighold", OBJ, "imports sighold: the signal mask is the thread's" },
	{ "sigrelse", OBJ, "imports sigrelse: the signal mask is the thread's" },
	{ "sigset", OBJ, "imports sigset: the signal mask is the thread's" },
	{ "sigaltstack", OBJ, "imports sigaltstack: the signal stack is the thread's" },
	{ "getcontext", OBJ, "imports getcontext: keeps the thread's signal mask" },
	{ "setcontext", OBJ, "imports setcontext: leaves the stack, sets the signal mask" },
	{ "swapcontext", OBJ, "imports swapcontext: leaves the stack, sets the signal mask" },
	{ "makecontext", OBJ, "imports makecontext: stacks of its own" },
	{ "sched_setaffinity", OBJ, "imports sched_setaffinity: set for the thread" },
	{ "sched_setscheduler", OBJ, "imports sched_setscheduler: set for the thread" },
	{ "sched_setparam", OBJ, "imports sched_setparam: set for the thread" },
	{ "sched_setattr", OBJ, "imports sched_setattr: set for the thread" },
	{ "setpriority", OBJ, "imports setpriority: set for the thread on Linux" },
	{ "nice", OBJ, "imports nice: set for the thread on Linux" },
	{ "prctl", OBJ, "imports prctl: set for the thread" },
	{ "arch_prctl", OBJ, "imports arch_prctl: moves the thread pointer" },
	{ "pkey_*", OBJ, "imports pkey_*: the rights are the thread's" },
	{ "unshare", OBJ, "imports unshare: set for the thread" },
	{ "setns", OBJ, "imports setns: set for the thread" },
	{ "setfsuid", OBJ, "imports setfsuid: set for the thread" },
	{ "setfsgid", OBJ, "imports setfsgid: set for the thread" },
	{ "capset", OBJ, "imports capset: set for the thread" },
	{ "cap_set_proc", OBJ, "imports cap_set_proc: set for the thread" },
	{ "ptrace", OBJ, "imports ptrace: the tracer is a thread" },
	{ "clone", OBJ, "imports clone: threads of its own making" },
	{ "pthread_setcancel*", OBJ, "imports pthread_setcancel*: set for the thread" },
	{ "pthread_setaffinity_np", OBJ, "imports pthread_setaffinity_np: set for the thread" },
	{ "_pthread_cleanup_*", OBJ, "imports _pthread_cleanup_*: the list is the thread's" },
	{ "__pthread_register_cancel*", OBJ, "imports pthread_cleanup_push: the list is the thread's" },
	{ "__pthread_unregister_cancel*", OBJ,
	  "imports pthread_cleanup_pop: the list is the thread's" },
	/* C++: handlers and exceptions in flight are counted per thread. */
	{ "__cxa_begin_catch", OBJ, "imports __cxa_begin_catch: open handlers are the thread's" },
	{ "__cxa_get_globals*", OBJ, "imports __cxa_get_globals: open handlers are the thread's" },
	{ "__cxa_rethrow", OBJ, "imports __cxa_rethrow: open handlers are the thread's" },
	{ "_Unwind_Resume", OBJ, "imports _Unwind_Resume: cleans up while an exception is in flight" },
	{ "_ZSt17current_exceptionv", OBJ,
	  "imports std::current_exception: handlers are the thread's" },
	{ "_ZSt18uncaught_exceptionv", OBJ, "imports std::uncaught_exception: counted per thread" },
	{ "_ZSt19uncaught_exceptionsv", OBJ, "imports std::uncaught_exceptions: counted per thread" },
	/* Instrumentation with state per thread. */
	{ "__tsan_*", OBJ, "built with -fsanitize=thread: a shadow stack per thread" },
	{ "__asan_*", OBJ, "built with -fsanitize=address: fake stacks per thread" },
	{ "__hwasan_*", OBJ, "built with -fsanitize=hwaddress: state per thread" },
	{ "__msan_*", OBJ, "built with -fsanitize=memory: state per thread" },
	{ "__sanitizer_cov_*", OBJ, "built with sanitizer coverage: state per thread" },
	{ "__cyg_profile_func_*", OBJ, "built with -finstrument-functions: calls unknown code" },
	{ "mcount", OBJ, "built with -pg: the profiler keeps state per thread" },
	/* Addresses of per-thread data, used by the function that asks for them. */
	{ "__errno_location", GIV, "uses errno" },
	{ "___errno", GIV, "uses errno" },
	{ "__h_errno_location", GIV, "uses h_errno" },
	{ "__ctype_b_loc", GIV, "uses the thread's ctype table" },
	{ "__ctype_tolower_loc", GIV, "uses the thread's ctype table" },
	{ "__ctype_toupper_loc", GIV, "uses the thread's ctype table" },
	{ "__res_state", GIV, "uses the resolver's per-thread state" },
	{ "__rpc_thread_*", GIV, "uses the RPC library's per-thread state" },
	{ "dlerror", GIV, "calls dlerror: the message is kept per thread" },
	{ "strerror", GIV, "calls strerror: the text is kept per thread" },
	{ "strerror_l", GIV, "calls strerror_l: the text is kept per thread" },
	{ "strsignal", GIV, "calls strsignal: the text is kept per thread" },
	{ "inet_ntoa", GIV, "calls inet_ntoa: the text is kept per thread" },
	{ "pthread_getattr_np", OBJ, "imports pthread_getattr_np: the thread's stack is asked for" },
};

static const struct entry denied[] = {
	{ "libc.so*", OBJ, "the C library" },       { "ld-linux*", OBJ, "the loader" },
	{ "ld-musl*", OBJ, "the C library" },       { "libc.musl*", OBJ, "the C library" },
	{ "libpthread.so*", OBJ, "the C library" }, { "librt.so*", OBJ, "the C library" },
	{ "libdl.so*", OBJ, "the C library" },      { "libgcc_s.so*", OBJ, "the unwinder" },
	{ "libunwind.so*", OBJ, "the unwinder" },   { "libstdc++.so*", OBJ, "the C++ library" },
	{ "libc++.so*", OBJ, "the C++ library" },   { "libc++abi.so*", OBJ, "the C++ library" },
	{ "linux-vdso.so*", OBJ, "the vDSO" },      { "libasan.so*", OBJ, "a sanitizer" },
	{ "libtsan.so*", OBJ, "a sanitizer" },      { "liblsan.so*", OBJ, "a sanitizer" },
	{ "libubsan.so*", OBJ, "a sanitizer" },     { "libhwasan.so*", OBJ, "a sanitizer" },
	{ "libclang_rt.*", OBJ, "a sanitizer" },    { "vgpreload_*", OBJ, "valgrind" },
};

static bool matches (const char *pattern, const char *name)
{
	size_t n = strlen (pattern);

	if (pattern[n - 1] == '*')
		return strncmp (pattern, name, n - 1) == 0;
	return strcmp (pattern, name) == 0;
}

enum goad__effect goad__import_effect (const char *name, const char **why)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (table[i].name[0] == name[0] && matches (table[i].name, name)) {
			*why = table[i].why;
			return table[i].effect;
		}
	return GOAD__EFFECT_NONE;
}

bool goad__import_denied (const char *soname, const char **why)
{
	for (size_t i = 0; i < sizeof denied / sizeof denied[0]; i++)
		if (matches (denied[i].name, soname)) {
			*why = denied[i].why;
			return true;
		}
	return false;
}
