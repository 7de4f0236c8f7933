// What a signal that ends the program must know of its files: temporary files, which it removes,
// and mapped files, whose end may have been cut off. In C, as a handler may call nothing that is
// not async-signal-safe.
#pragma once
#include <stddef.h>
#include <sys/types.h>

// A temporary file beside its place.
typedef struct xbar_temporary xbar_temporary;

// Creates the file `name` in the folder `folder`, exclusively and never through a link, for reading
// and writing. Gives the descriptor, or -1 with errno. The file is removed where a signal ends the
// program.
int xbar_temporary_create(int folder, const char *name, mode_t mode, xbar_temporary **file);

// Removes the file and forgets it.
void xbar_temporary_discard(xbar_temporary *file);

// Moves each of `files` over the name `targets[i]` in its folder: all of them, or, with -1 and
// errno, none. Forgets them where it succeeds. A signal comes before or after, not between. Only a
// file is replaced, never a folder or a link.
int xbar_temporaries_commit(xbar_temporary *const *files, const char *const *targets, size_t count);

// A mapped file.
typedef struct xbar_mapping xbar_mapping;

// Remembers that `length` bytes at `base` are a mapped file, with what to say where they can no
// longer be read. Gives NULL with errno where there is no memory.
xbar_mapping *xbar_mapping_add(const void *base, size_t length, const char *message);

// Forgets it; before the file is unmapped.
void xbar_mapping_remove(xbar_mapping *mapping);

// Takes over the signals that end a program, but those that are ignored: temporary files are
// removed, then the program ends by the signal as it would have. SIGXFSZ of a write lets the write
// fail. SIGBUS in a mapped file prints its message and exits with status 1.
void xbar_signals_install(void);
