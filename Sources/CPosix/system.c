#define _GNU_SOURCE
#include "include/system.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

// Of linux/openat2.h, which C libraries older than the kernel lack.
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
struct how {
  uint64_t flags;
  uint64_t mode;
  uint64_t resolve;
};
enum { RESOLVE_NO_MAGICLINKS_ = 0x02, RESOLVE_BENEATH_ = 0x08, EXCHANGE_ = 2 };

int fettle_open_beneath(int folder, const char *path, int flags) {
  struct how how = {.flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH_ | RESOLVE_NO_MAGICLINKS_};
  long result;
  // EAGAIN: something above was renamed meanwhile, so that the kernel could not be sure.
  int tries = 100;
  do result = syscall(SYS_openat2, folder, path, &how, sizeof how);
  while (result < 0 && (errno == EINTR || (errno == EAGAIN && --tries > 0)));
  return (int)result;
}

int fettle_exchange(const char *one, const char *other) {
#ifdef SYS_renameat2
  return (int)syscall(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, other, EXCHANGE_);
#else
  errno = ENOSYS;
  return -1;
#endif
}
