#define _GNU_SOURCE
#include "include/system.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

long fettle_address_space_left(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return -1;
  int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  char text[32];
  ssize_t length = read(file, text, sizeof text);
  close(file);
  long pages = 0;
  for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) pages = pages * 10 + (text[i] - '0');
  long used = pages * sysconf(_SC_PAGESIZE);
  return limit.rlim_cur > (rlim_t)used ? (long)(limit.rlim_cur - (rlim_t)used) : 0;
}

long fettle_stack_size(void) {
  pthread_attr_t attributes;
  size_t size = 8 << 20;
  if (pthread_getattr_default_np(&attributes) == 0) {
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
  }
  return (long)size;
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *pass(void *unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return unused;
}

int fettle_try_threads(int count) {
  pthread_t threads[16];
  int started = 0, error = 0;
  // All have to be there at the same time.
  pthread_mutex_lock(&gate);
  while (started < count && started < 16 && (error = pthread_create(&threads[started], NULL, pass, NULL)) == 0) started++;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
  return error;
}

int fettle_try_files(int count) {
  int files[64];
  int opened = 0, error = 0;
  while (opened < count && opened < 64) {
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
      error = errno;
      break;
    }
    files[opened++] = file;
  }
  for (int i = 0; i < opened; i++) close(files[i]);
  return error;
}

// What a handler may look at.
static void (*leave_terminal)(void);
static struct sigaction before[NSIG];

_Noreturn void fettle_end_for_want_of_memory(void) {
  static const char sentence[] =
      "error: There is not enough memory for this. What was finished is kept. Allow more (ulimit -v unlimited), or ask for less: "
      "fewer texts, or finetune --method linear.\n";
  if (leave_terminal) leave_terminal();
  ssize_t ignored = write(STDERR_FILENO, sentence, sizeof sentence - 1);
  (void)ignored;
  _exit(1);
}

// So little is left where an allocation of a library's has failed: the larger ones are fettle's own, which asks first.
static const long little = 64 << 20;

static void on_end(int number) {
  long left = fettle_address_space_left();
  if (left >= 0 && left < little) fettle_end_for_want_of_memory();
  // Something else: as if this had never been here.
  sigaction(number, &before[number], NULL);
  raise(number);
}

void fettle_end_when_memory_is_short(void (*leave)(void)) {
  leave_terminal = leave;
  if (fettle_address_space_left() < 0) return;
  // Else each thread that allocates sets 64 MB aside.
  mallopt(M_ARENA_MAX, 1);
  static const int numbers[] = {SIGABRT, SIGILL, SIGTRAP, SIGSEGV, SIGBUS};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_end;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) sigaction(numbers[i], &action, &before[numbers[i]]);
}
