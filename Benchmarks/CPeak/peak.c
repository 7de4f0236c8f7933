#include "peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define BODY                                                                                       \
  uint64_t check = 0;                                                                              \
  _Alignas(64) uint8_t sums[1024] = {0}, tables[8192] = {0};                                       \
  for (size_t k = 0; k < count && k < sizeof tables; k++) tables[k] = table[k];                    \
  for (size_t round = 0; round < rounds; round++) {                                                \
    const uint8_t *a = tables + (round & 3) * 1024;                                                \
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

#define SUMS 12

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vnni"))) static uint64_t vnni_products(size_t rounds) {
  __m512i sums[SUMS], x = _mm512_set1_epi32(0x01020304), w = x;
  for (int k = 0; k < SUMS; k++) sums[k] = _mm512_set1_epi32(k);
  for (size_t round = 0; round < rounds; round++) {
    for (int k = 0; k < SUMS; k++) sums[k] = _mm512_dpbusd_epi32(sums[k], x, w);
    __asm__ volatile("" : "+v"(x), "+v"(w));
  }
  for (int k = 1; k < SUMS; k++) sums[0] = _mm512_add_epi32(sums[0], sums[k]);
  volatile int32_t last = _mm512_cvtsi512_si32(sums[0]);
  (void)last;
  return (uint64_t)rounds * SUMS * 64;
}

__attribute__((target("avx2"))) static uint64_t avx2_products(size_t rounds) {
  __m256i sums[SUMS], x = _mm256_set1_epi32(0x00010002), w = x;
  for (int k = 0; k < SUMS; k++) sums[k] = _mm256_set1_epi32(k);
  for (size_t round = 0; round < rounds; round++) {
    for (int k = 0; k < SUMS; k++) sums[k] = _mm256_add_epi32(sums[k], _mm256_madd_epi16(x, w));
    __asm__ volatile("" : "+x"(x), "+x"(w));
  }
  for (int k = 1; k < SUMS; k++) sums[0] = _mm256_add_epi32(sums[0], sums[k]);
  volatile int32_t last = _mm256_extract_epi32(sums[0], 0);
  (void)last;
  return (uint64_t)rounds * SUMS * 16;
}
#endif

static uint64_t plain_products(size_t rounds) {
  int32_t sums[SUMS] = {0}, x = 3, w = 5;
  for (size_t round = 0; round < rounds; round++) {
    for (int k = 0; k < SUMS; k++) sums[k] += x * w;
    __asm__ volatile("" : "+r"(x), "+r"(w));
  }
  volatile int32_t last = 0;
  for (int k = 0; k < SUMS; k++) last += sums[k];
  return (uint64_t)rounds * SUMS;
}

uint64_t peak_byte_products(size_t rounds) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni")) return vnni_products(rounds);
  if (__builtin_cpu_supports("avx2")) return avx2_products(rounds);
#endif
  return plain_products(rounds);
}

const char *peak_name(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512vnni")) return "AVX-512 with VNNI";
  if (__builtin_cpu_supports("avx512bw")) return "AVX-512";
  if (__builtin_cpu_supports("avx2")) return "AVX2";
#endif
  return "portable";
}
