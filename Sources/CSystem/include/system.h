// Linux's own calls that Swift cannot make: those that the C library has only behind `syscall`, or not on every system.
#pragma once

/// Opens for reading, without following links or `..` out of `folder`. -1 and `errno`; ENOSYS where the kernel has no openat2.
int fettle_open_beneath(int folder, const char *path, int flags);

/// Gives each of two paths what the other had, in one step. -1 and `errno`; EINVAL or ENOSYS where the file system cannot.
int fettle_exchange(const char *one, const char *other);
