// Micro-kernels that measure what this machine can do at most.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Adds bytes lane by lane in L1: `rounds` passes over `count` bytes of `table`, 8192 at most, four tables added into each sum, as the
// executor does for four nibbles of a unit. Returns a checksum, so that nothing is optimized away.
uint64_t peak_byte_adds(const uint8_t *table, size_t count, size_t rounds);

// Multiplies and adds bytes in registers, `rounds` times in twelve sums that do not wait for each other, and returns how
// many products that were.
uint64_t peak_byte_products(size_t rounds);

// The name of the instruction set that is used.
const char *peak_name(void);
