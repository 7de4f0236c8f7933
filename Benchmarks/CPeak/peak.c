#include "peak.h"

#define BODY                                                                                       \
  uint64_t check = 0;                                                                              \
  uint8_t sums[1024] = {0};                                                                        \
  for (size_t round = 0; round < rounds; round++) {                                                \
    const uint8_t *a = table + (round & 3) * 1024;                                                 \
    for (size_t k = 0; k < 1024; k++) sums[k] += (uint8_t)(a[k] + a[k + 1024] + a[k + 2048] + a[k + 3072]); \
  }                                                                                                \
  for (size_t k = 0; k < 1024; k++) check += sums[k];                                              \
  return check + count;

static uint64_t plain(const uint8_t *table, size_t count, size_t rounds) { BODY }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t avx2(const uint8_t *table, size_t count, size_t rounds) { BODY }
__attribute__((target("avx512f,avx512bw,avx512vl"))) static uint64_t avx512(
    const uint8_t *table, size_t count, size_t rounds) { BODY }
#endif

uint64_t peak_byte_adds(const uint8_t *table, size_t count, size_t rounds) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw")) return avx512(table, count, rounds);
  if (__builtin_cpu_supports("avx2")) return avx2(table, count, rounds);
#endif
  return plain(table, count, rounds);
}

const char *peak_name(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512bw")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
#endif
  return "portable";
}
