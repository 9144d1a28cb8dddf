// Linux's own calls that Swift cannot make: those that the C library has only behind `syscall`, or not on every system.
#pragma once

/// Opens for reading, without following links or `..` out of `folder`. -1 and `errno`; ENOSYS where the kernel has no openat2.
int fettle_open_beneath(int folder, const char *path, int flags);

/// Gives each of two paths what the other had, in one step. -1 and `errno`; EINVAL or ENOSYS where the file system cannot.
int fettle_exchange(const char *one, const char *other);

/// Bytes of address space that `ulimit -v` leaves; -1 where nothing is limited. May be called by a signal's handler.
long fettle_address_space_left(void);

/// From now on what breaks off because no memory can be had under `ulimit -v`, in Swift's runtime or a library, ends with a
/// sentence and status 1. `leave` is called first, to give the terminal back.
void fettle_end_when_memory_is_short(void (*leave)(void));

/// Ends so now.
_Noreturn void fettle_end_for_want_of_memory(void);

/// Whether `count` threads can be started at once: 0, or the error's number.
int fettle_try_threads(int count);

/// Whether `count` more files can be open at once: 0, or the error's number.
int fettle_try_files(int count);

/// Bytes of address space that a thread's stack takes, unless its maker says otherwise.
long fettle_stack_size(void);
