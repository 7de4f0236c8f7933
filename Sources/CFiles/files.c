#define _GNU_SOURCE
#include "include/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Both lists only grow; what is given up is used again. So a handler can walk them at any time.
struct xbar_temporary {
  struct xbar_temporary *next;
  atomic_int used;    // belongs to a file
  atomic_int exists;  // the file is there
  int folder;
  char name[256];
};

struct xbar_mapping {
  struct xbar_mapping *next;
  atomic_int used;
  _Atomic uintptr_t base;  // 0 where nothing is mapped
  size_t length;
  char *message;
};

static _Atomic(struct xbar_temporary *) temporaries;
static _Atomic(struct xbar_mapping *) mappings;

// Threads that are creating or moving files, and whether the program is ending.
static atomic_int busy;
static atomic_int ending;

static const int asynchronous[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGXCPU, SIGXFSZ, SIGUSR1, SIGUSR2, SIGALRM};
static const int faults[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};
static struct sigaction old_actions[65];

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// MARK: sections that no signal interrupts

// A handler on another thread waits for the end of the section; on this thread it comes after it.
static void enter(sigset_t *old) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < COUNT(asynchronous); i++) sigaddset(&set, asynchronous[i]);
  pthread_sigmask(SIG_BLOCK, &set, old);
  atomic_fetch_add(&busy, 1);
  if (!atomic_load(&ending)) return;
  atomic_fetch_sub(&busy, 1);
  for (;;) pause();
}

static void leave(const sigset_t *old) {
  int error = errno;
  atomic_fetch_sub(&busy, 1);
  pthread_sigmask(SIG_SETMASK, old, NULL);
  errno = error;
}

// MARK: temporary files

static struct xbar_temporary *take_temporary(void) {
  for (struct xbar_temporary *file = atomic_load(&temporaries); file; file = file->next) {
    int expected = 0;
    if (atomic_compare_exchange_strong(&file->used, &expected, 1)) return file;
  }
  struct xbar_temporary *file = calloc(1, sizeof *file);
  if (!file) return NULL;
  atomic_store(&file->used, 1);
  file->next = atomic_load(&temporaries);
  while (!atomic_compare_exchange_weak(&temporaries, &file->next, file)) {
  }
  return file;
}

static void forget(struct xbar_temporary *file) {
  atomic_store(&file->exists, 0);
  atomic_store(&file->used, 0);
}

int xbar_temporary_create(int folder, const char *name, mode_t mode, xbar_temporary **result) {
  if (strlen(name) >= sizeof(((struct xbar_temporary *)0)->name)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  struct xbar_temporary *file = take_temporary();
  if (!file) {
    errno = ENOMEM;
    return -1;
  }
  file->folder = folder;
  strcpy(file->name, name);
  sigset_t old;
  enter(&old);
  int descriptor = openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  if (descriptor >= 0) atomic_store(&file->exists, 1);
  leave(&old);
  if (descriptor < 0) {
    int error = errno;
    forget(file);
    errno = error;
    return -1;
  }
  *result = file;
  return descriptor;
}

void xbar_temporary_discard(xbar_temporary *file) {
  sigset_t old;
  enter(&old);
  unlinkat(file->folder, file->name, 0);
  forget(file);
  leave(&old);
}

// How a file was moved.
enum move { moved_none, moved_created, moved_exchanged, moved_replaced };

static enum move move_file(const struct xbar_temporary *file, const char *target, size_t count) {
  struct stat info;
  int is_there = fstatat(file->folder, target, &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (is_there && !S_ISREG(info.st_mode)) {
    errno = S_ISDIR(info.st_mode) ? EISDIR : EEXIST;
    return moved_none;
  }
  // A move of several files may have to be undone, so that the old file must stay under some name.
  if (is_there && count > 1) {
    if (renameat2(file->folder, file->name, file->folder, target, RENAME_EXCHANGE) == 0) return moved_exchanged;
    if (errno != EINVAL && errno != ENOSYS) return moved_none;
  }
  if (renameat(file->folder, file->name, file->folder, target) != 0) return moved_none;
  return is_there ? moved_replaced : moved_created;
}

static void undo(const struct xbar_temporary *file, const char *target, enum move move) {
  if (move == moved_exchanged) renameat2(file->folder, file->name, file->folder, target, RENAME_EXCHANGE);
  if (move == moved_created) renameat(file->folder, target, file->folder, file->name);
}

int xbar_temporaries_commit(xbar_temporary *const *files, const char *const *targets, size_t count) {
  enum move *moves = calloc(count ? count : 1, sizeof *moves);
  if (!moves) return -1;
  sigset_t old;
  enter(&old);
  size_t done = 0;
  while (done < count && (moves[done] = move_file(files[done], targets[done], count)) != moved_none) done++;
  int error = errno;
  int failed = done < count;
  for (size_t i = 0; i < done; i++) {
    if (failed) {
      undo(files[i], targets[i], moves[i]);
    } else {
      if (moves[i] == moved_exchanged) unlinkat(files[i]->folder, files[i]->name, 0);
      forget(files[i]);
    }
  }
  leave(&old);
  free(moves);
  errno = error;
  return failed ? -1 : 0;
}

// MARK: mapped files

xbar_mapping *xbar_mapping_add(const void *base, size_t length, const char *message) {
  char *copy = strdup(message);
  if (!copy) return NULL;
  struct xbar_mapping *mapping = NULL;
  for (struct xbar_mapping *other = atomic_load(&mappings); other && !mapping; other = other->next) {
    int expected = 0;
    if (atomic_compare_exchange_strong(&other->used, &expected, 1)) mapping = other;
  }
  if (!mapping) {
    mapping = calloc(1, sizeof *mapping);
    if (!mapping) {
      free(copy);
      return NULL;
    }
    atomic_store(&mapping->used, 1);
    mapping->next = atomic_load(&mappings);
    while (!atomic_compare_exchange_weak(&mappings, &mapping->next, mapping)) {
    }
  }
  mapping->length = length;
  mapping->message = copy;
  atomic_store(&mapping->base, (uintptr_t)base);
  return mapping;
}

void xbar_mapping_remove(xbar_mapping *mapping) {
  atomic_store(&mapping->base, 0);
  free(mapping->message);
  mapping->message = NULL;
  atomic_store(&mapping->used, 0);
}

static const struct xbar_mapping *mapping_at(uintptr_t address) {
  for (struct xbar_mapping *mapping = atomic_load(&mappings); mapping; mapping = mapping->next) {
    uintptr_t base = atomic_load(&mapping->base);
    if (base && address >= base && address - base < mapping->length) return mapping;
  }
  return NULL;
}

// MARK: signals

// Removes every temporary file; afterwards no thread creates another.
static void remove_temporaries(void) {
  atomic_store(&ending, 1);
  struct timespec millisecond = {0, 1000000};
  for (int i = 0; i < 10000 && atomic_load(&busy) > 0; i++) nanosleep(&millisecond, NULL);
  for (struct xbar_temporary *file = atomic_load(&temporaries); file; file = file->next) {
    if (atomic_load(&file->exists)) unlinkat(file->folder, file->name, 0);
  }
}

// Sends the signal to this thread, which takes it at once.
static void deliver(int number) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, number);
  raise(number);
  pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

// The signal does what it would have done without this handler. An older handler, such as one that prints a backtrace,
// may return as after a fault that comes again; the program ends nevertheless.
static void end_by(int number) {
  sigaction(number, &old_actions[number], NULL);
  deliver(number);
  signal(number, SIG_DFL);
  deliver(number);
}

static void on_asynchronous(int number, siginfo_t *info, void *context) {
  (void)context;
  // Not sent by another process: a file would be larger than it may be, and the write fails and says so.
  if (number == SIGXFSZ && info->si_pid == getpid()) return;
  remove_temporaries();
  end_by(number);
}

static void on_fault(int number, siginfo_t *info, void *context) {
  (void)context;
  const struct xbar_mapping *mapping = number == SIGBUS ? mapping_at((uintptr_t)info->si_addr) : NULL;
  remove_temporaries();
  if (mapping) {
    size_t length = strlen(mapping->message);
    if (write(2, mapping->message, length) < 0) _exit(1);
    _exit(1);
  }
  // A fault comes again when this returns, and then finds its older handler.
  if (info->si_code > 0) {
    sigaction(number, &old_actions[number], NULL);
  } else {
    end_by(number);
  }
}

static void install(int number, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action;
  if (sigaction(number, NULL, &old_actions[number]) != 0 || old_actions[number].sa_handler == SIG_IGN) return;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < COUNT(asynchronous); i++) sigaddset(&action.sa_mask, asynchronous[i]);
  sigaction(number, &action, NULL);
}

void xbar_signals_install(void) {
  for (size_t i = 0; i < COUNT(asynchronous); i++) install(asynchronous[i], on_asynchronous);
  for (size_t i = 0; i < COUNT(faults); i++) install(faults[i], on_fault);
}
