/* Elementary functions of vectors of doubles: `v_NAME` is the row NAME of the table, on VM_W numbers at a time.

   Method throughout: reduce the argument (Cody and Waite), evaluate a minimax polynomial, undo the reduction; no tables, and no
   branches but for sines of more than 2^20. Where one rounding more would show, a number is kept as a sum of two, high and low.
   `tests/kernels/coefficients.py` makes the polynomials and constants again; `python -m tests.kernels --points 10000000` measures
   the largest errors: in units in the last place (ulp), without and with fused multiply-add, over doubles of all magnitudes.
   nan, infinities, zeros with their signs and subnormal numbers are those of IEEE 754.

   Needs GCC or Clang for 64 bits, -std=gnu11, rounding to nearest, subnormal numbers; contraction of products and sums may be on
   or off; -ffast-math makes it wrong. Flags of exceptions and errno mean nothing. Lanes do not influence each other.

   A program loads and stores by *(V *)p, p aligned as doubles are; writes + - * / and comparisons, whose results are masks for
   vm_sel; and calls v_NAME on vectors. A number beside a vector counts in all lanes; as an argument it is v_set(number).

   Blocks are separated by empty lines. `words.py` takes the blocks that define a name only if it is used; others always. */

#include <stdint.h>

#ifndef VM_W /* lanes: as many as a register has */
#if defined(__AVX512F__)
#define VM_W 8
#elif defined(__AVX__)
#define VM_W 4
#else
#define VM_W 2
#endif
#endif

#pragma GCC diagnostic ignored "-Wpsabi"
#define VM_FN static inline __attribute__((always_inline, unused))

/* Elementary functions are called: with dozens of calls a program compiles in a third of the time, and runs 3 to 14 % slower,
   than if they were inlined, which VM_INLINE asks for. */
#ifdef VM_INLINE
#define VM_CALLED VM_FN
#else
#define VM_CALLED static __attribute__((noinline, unused))
#endif

typedef double V __attribute__((vector_size(8 * VM_W), aligned(8), may_alias));
typedef uint64_t VM_U __attribute__((vector_size(8 * VM_W)));   /* the bits of the lanes */
typedef __typeof__((V){0} < (V){0}) VM_I;                       /* a mask: 0 or -1 in each lane */

/* A number in all lanes. */
VM_FN V v_set(double x) { return x - (V){0}; }

/* a where the mask is set, b elsewhere. */
VM_FN V vm_sel(VM_I mask, V a, V b) { return (V)((mask & (VM_I)a) | (~mask & (VM_I)b)); }

/* a where the mask is set, 0 elsewhere. */
VM_FN V vm_only(VM_I mask, V a) { return (V)(mask & (VM_I)a); }

/* Whether the sign is set: also of -0. */
VM_FN VM_I vm_signbit(V x) { return -(VM_I)((VM_U)x >> 63); }

/* Single instructions, where a register holds a vector: of two operands, the root, a * b - c rounded once. As text for the
   assembler, because loops over sqrt and fma are vectors at some levels of optimisation only, and <immintrin.h> alone takes 0.3 s
   to compile. */
#if (defined(__AVX512F__) && VM_W == 8) || (defined(__AVX__) && VM_W <= 4)
#define VM_TWO(name, a, b) ({ V r_; __asm__("v" name " %2, %1, %0" : "=v"(r_) : "v"(a), "v"(b)); r_; })
#define VM_SQRT(x) ({ V r_; __asm__("vsqrtpd %1, %0" : "=v"(r_) : "v"(x)); r_; })
#if defined(__FMA__) || VM_W == 8
#define VM_FMS(a, b, c) ({ V r_ = (a); __asm__("vfmsub213pd %2, %1, %0" : "+v"(r_) : "v"(b), "v"(c)); r_; })
#endif
#elif defined(__SSE2__) && VM_W == 2
#define VM_TWO(name, a, b) ({ V r_ = (a); __asm__(name " %1, %0" : "+x"(r_) : "x"(b)); r_; })
#define VM_SQRT(x) ({ V r_; __asm__("sqrtpd %1, %0" : "=x"(r_) : "x"(x)); r_; })
#endif

/* ---- Exact operations: the same bits as on floats ---- */

VM_FN V v_abs(V x) { return (V)((VM_U)x & 0x7fffffffffffffff); }

VM_FN V v_copysign(V x, V y) { return (V)(((VM_U)x & 0x7fffffffffffffff) | ((VM_U)y & 0x8000000000000000)); }

VM_FN V v_sqrt(V x)
{
#ifdef VM_SQRT
    return VM_SQRT(x);
#else
    for (int i = 0; i < VM_W; i++) x[i] = __builtin_sqrt(x[i]);
    return x;
#endif
}

VM_FN V v_where(V x, V y, V z) { return vm_sel(x != 0.0, y, z); }

VM_FN V v_greater(V x, V y) { return vm_only(x > y, v_set(1.0)); }

VM_FN V v_maximum(V x, V y) { return vm_sel((x > y) | (x != x), x, y); }

VM_FN V v_minimum(V x, V y) { return vm_sel((x < y) | (x != x), x, y); }

VM_FN V v_sign(V x) { return vm_sel((x != x) | (x == 0.0), x, v_copysign(v_set(1.0), x)); }

/* To the nearest integer, ties to the even one: from 2^52 on there are only integers. */
VM_FN V v_round(V x)
{
    V a = v_abs(x);
    return vm_sel(a < 0x1p52, v_copysign((a + 0x1p52) - 0x1p52, x), x);
}

VM_FN V v_floor(V x)
{
    V r = v_round(x);
    return v_copysign(r - vm_only(r > x, v_set(1.0)), x);
}

VM_FN V v_ceil(V x)
{
    V r = v_round(x);
    return v_copysign(r + vm_only(r < x, v_set(1.0)), x);
}

VM_FN V v_trunc(V x) { return v_copysign(v_floor(v_abs(x)), x); }

/* ---- What the others are made with ---- */

/* x between two bounds; nan stays. The instructions return their second operand where one of the two is nan. */
VM_FN V vm_clamp(V x, double low, double high)
{
#ifdef VM_TWO
    return VM_TWO("maxpd", v_set(low), VM_TWO("minpd", v_set(high), x));
#else
    return vm_sel(x > high, v_set(high), vm_sel(x < low, v_set(low), x));
#endif
}

/* The error a b - p of a product p = a b, exactly. Without fused multiply-add the factors are split into 26 and 27 bits (Dekker;
   by masks, which do not overflow). A plain a * b - p would be folded to p - p. */
VM_FN V vm_product_error(V a, V b, V p)
{
#if defined(VM_FMS)
    return VM_FMS(a, b, p);
#elif defined(__FMA__) || defined(__ARM_FEATURE_FMA)
    V r;
    for (int i = 0; i < VM_W; i++) r[i] = __builtin_fma(a[i], b[i], -p[i]);
    return r;
#else
    V ah = (V)((VM_U)a & 0xfffffffff8000000), al = a - ah, bh = (V)((VM_U)b & 0xfffffffff8000000), bl = b - bh;
    return ((ah * bh - p) + (ah * bl + al * bh)) + al * bl;
#endif
}

/* c[0] + c[1] x + ...: the even and the odd powers apart (beyond degree 11, each half again), so that chains are short. */
VM_FN V vm_polynomial(V x, const double *c, int n)
{
    V x2 = x * x, step = x2, part[4];
    int parts = n > 12 ? 4 : 2;
    if (parts == 4) step = x2 * x2;
#pragma GCC unroll 4
    for (int j = 0; j < parts; j++) {
        int i = (n - 1 - j) / parts * parts + j;
        part[j] = v_set(c[i]);
#pragma GCC unroll 32
        for (i -= parts; i >= 0; i -= parts) part[j] = part[j] * step + c[i];
    }
    return parts == 4 ? (part[0] + x * part[1]) + x2 * (part[2] + x * part[3]) : part[0] + x * part[1];
}
#define VM_POLYNOMIAL(x, ...) \
    ({ static const double c_[] = {__VA_ARGS__}; vm_polynomial(x, c_, sizeof c_ / sizeof *c_); })

/* The nearest integer of |x| < 2^51, by a number so large that a sum with it has no fraction; -0 becomes 0. */
#define VM_INTEGER 0x1.8p52
VM_FN V vm_integer(V x) { return (x + VM_INTEGER) - VM_INTEGER; }

/* 2^n for integers n from -1022 to 1023: the sum with VM_INTEGER has n in its lowest bits. */
VM_FN V vm_power_of_2(V n) { return (V)((VM_U)(n + (VM_INTEGER + 1023)) << 52); }

/* x 2^n, rounded once also where it is subnormal, for integers |n| <= 2044. */
VM_FN V vm_ldexp(V x, V n)
{
#if defined(__AVX512F__) && VM_W == 8
    return VM_TWO("scalefpd", x, n);
#else
    V half = vm_integer(n * 0.5);
    return x * vm_power_of_2(half) * vm_power_of_2(n - half);
#endif
}

/* x = m 2^k with sqrt(1/2) <= m < sqrt(2), for finite x > 0, subnormal ones too; returns m. Garbage for other x. */
VM_FN V vm_frexp(V x, V *k)
{
    const uint64_t one = 0x3ff0000000000000, root = 0x3fe6a09e667f3bcd; /* the bits of 1 and of sqrt(1/2) */
    VM_I subnormal = x < 0x1p-1022;
    VM_U bits = (VM_U)vm_sel(subnormal, x * 0x1p54, x) + (one - root);
    *k = (V)(bits >> 52 | 0x4330000000000000) - (0x1p52 + 1023) - vm_only(subnormal, v_set(54));
    return (V)((bits & 0x000fffffffffffff) + root);
}

/* ---- Exponentials ---- */

#define VM_LN2_HIGH 0x1.62e42fefp-1 /* 33 bits: its products with |n| < 2^20 are exact */
#define VM_LN2_LOW 0x1.473de6af278edp-34
#define VM_LN2 0x1.62e42fefa39efp-1
#define VM_LOG2_E 0x1.71547652b82fep+0

/* e^r - 1 - r, |r| <= 0.3469; relative to e^r - 1 the polynomial errs by 2^-61. */
VM_FN V vm_exp_rest(V r)
{
    return r * r * (0.5 + r * VM_POLYNOMIAL(r, 0x1.5555555555559p-3, 0x1.555555555553ep-5, 0x1.111111110f6aap-7,
        0x1.6c16c16c1f16dp-10, 0x1.a01a01afe9889p-13, 0x1.a01a017b964afp-16, 0x1.71ddf842496d3p-19, 0x1.27e5365b9285ap-22,
        0x1.af5ee7d10c098p-26, 0x1.1ee8916c12ed8p-29));
}

/* e^(x + low) = (1 + r + q) 2^n for |x| < 2^19: r is x - n ln 2, rounded; q the rest of the exponential, and what r lost. */
VM_FN void vm_exp_reduced(V x, V low, V *n, V *r, V *q)
{
    *n = vm_integer(x * VM_LOG2_E);
    V high = x - *n * VM_LN2_HIGH, rest = *n * VM_LN2_LOW - low;
    *r = high - rest;
    *q = ((high - *r) - rest) + vm_exp_rest(*r);
}

/* e^x = (high + low) 2^n. */
VM_FN void vm_exp_parts(V x, V x_low, V *n, V *high, V *low)
{
    V r, q;
    vm_exp_reduced(x, x_low, n, &r, &q);
    V a = 1.0 + r, b = ((1.0 - a) + r) + q;
    *high = a + b;
    *low = (a - *high) + b;
}

/* (e^x - 1) / 2 = high + low for -50 <= x <= 710; halved, so that 2^1024 does not appear. */
VM_FN void vm_half_expm1(V x, V *high, V *low)
{
    V n, r, q;
    vm_exp_reduced(x, v_set(0), &n, &r, &q);
    V s = vm_power_of_2(n - 1.0), a = s - 0.5, b = s * r, t = a + b;
    V rest = ((a - t) + b) + (s * q + ((s - a) - 0.5));
    *high = t + rest;
    *low = (t - *high) + rest;
}

/* (1 + r + q) 2^n. Largest error 0.85, 0.84. */
VM_CALLED V v_exp(V x)
{
    V n, r, q;
    vm_exp_reduced(vm_clamp(x, -746, 710), v_set(0), &n, &r, &q);
    return vm_ldexp(1.0 + (r + q), n);
}

/* The fraction of x, times ln 2, is an argument of the same polynomial. Largest error 1.01, 1.04. */
VM_CALLED V v_exp2(V x)
{
    x = vm_clamp(x, -1076, 1025);
    V n = vm_integer(x), r = (x - n) * VM_LN2;
    return vm_ldexp(1.0 + (r + vm_exp_rest(r)), n);
}

/* Twice the half; below 2^-54 x itself. Largest error 0.99, 1.08. */
VM_CALLED V v_expm1(V x)
{
    V high, low;
    vm_half_expm1(vm_clamp(x, -50, 710), &high, &low);
    return vm_sel(v_abs(x) < 0x1p-54, x, high + high);
}

/* t / (1 + t) with t = (e^(2|x|) - 1) / 2, the low parts of t and of 1 + t to first order. Largest error 1.21, 1.28. */
VM_CALLED V v_tanh(V x)
{
    V high, low, a = v_abs(x);
    vm_half_expm1(vm_clamp(a + a, 0, 44), &high, &low);
    V d = 1.0 + high, t = d - 1.0, d_low = ((1.0 - (d - t)) + (high - t)) + low, q = high / d;
    q = q + (low - q * d_low) * (1.0 - q);
    return vm_sel(a < 0x1p-28, x, v_copysign(q, x));
}

/* e / (1 + e) with e = e^-|x|, or 1 / (1 + e) for x >= 0, low parts as in tanh. Largest error 1.10, 1.08. */
VM_CALLED V v_sigmoid(V x)
{
    V n, high, low;
    vm_exp_parts(vm_clamp(-v_abs(x), -746, 0), v_set(0), &n, &high, &low);
    V e = vm_ldexp(high, n), e_low = vm_only(n > -64.0, low * vm_power_of_2(n)), d = 1.0 + e, d_low = ((1.0 - d) + e) + e_low;
    VM_I below = x < 0.0;
    V q = vm_sel(below, e, v_set(1)) / d;
    return q + (vm_only(below, e_low) - q * d_low) * vm_sel(below, 1.0 - q, q);
}

/* 4 q (1 - q) with q = e / (1 + e), e = e^(-2|x|), all in two parts; far out 4 e. Largest error 0.76, 0.76. */
VM_CALLED V v_sech2(V x)
{
    V n, high, low;
    vm_exp_parts(vm_clamp(-2.0 * v_abs(x), -748, 0), v_set(0), &n, &high, &low);
    VM_I far = n < -60.0;
    V scale = vm_power_of_2(vm_clamp(n, -60, 0)), e = high * scale, e_low = low * scale;
    V d = 1.0 + e, d_low = ((1.0 - d) + e) + e_low, q = e / d, p = q * d, c = 1.0 - q, c_low = (1.0 - c) - q;
    V q_low = (((e - p) - vm_product_error(q, d, p)) + (e_low - q * d_low)) * c, qc = q * c;
    V near = qc + (vm_product_error(q, c, qc) + (q * c_low + q_low * (c - q)));
    return vm_ldexp(vm_sel(far, high, near), vm_sel(far, n, v_set(0)) + 2.0);
}

/* s + s / (2 s + 1) with s = (e^|x| - 1) / 2; from 2^60 on e^|x| / 2. Largest error 1.64, 1.64. */
VM_CALLED V v_sinh(V x)
{
    V n, r, q, a = v_abs(x), high, low;
    vm_exp_reduced(vm_clamp(a, 0, 711), v_set(0), &n, &r, &q);
    vm_half_expm1(vm_clamp(a, 0, 42), &high, &low);
    V near = high + (high / (2.0 * high + 1.0) + 2.0 * low), far = vm_ldexp(1.0 + (r + q), n - 1.0);
    return vm_sel(a < 0x1p-28, x, v_copysign(vm_sel(n < 60.0, near, far), x));
}

/* e^|x| / 2 + e^-|x| / 2, scaled by a power of 2. Largest error 0.88, 0.88. */
VM_CALLED V v_cosh(V x)
{
    V n, high, low;
    vm_exp_parts(vm_clamp(v_abs(x), 0, 711), v_set(0), &n, &high, &low);
    V other = vm_power_of_2(vm_clamp(-2.0 * n, -1000, 0)) / high;
    return vm_ldexp(high + (low + other), n - 1.0);
}

/* ---- Logarithms ---- */

/* log(1 + f) - f + f^2 / 2 = s (f^2 / 2 + R) for sqrt(1/2) <= 1 + f < sqrt(2): s = f / (2 + f), 2 atanh(s) = 2 s + s R(s^2),
   R to 2^-59. */
VM_FN V vm_log_rest(V f)
{
    V s = f / (2.0 + f), z = s * s;
    return s * (0.5 * f * f + z * VM_POLYNOMIAL(z, 0x1.5555555555592p-1, 0x1.999999997fd7dp-2, 0x1.24924941f4a5ap-2,
        0x1.c71c520651cd9p-3, 0x1.74663f9242661p-3, 0x1.39a1a8a393357p-3, 0x1.2f0622f67464bp-3));
}

/* k ln 2 + log(1 + f + low). */
VM_FN V vm_log_sum(V f, V low, V k)
{
    V half = 0.5 * f * f;
    return k * VM_LN2_HIGH - ((half - (vm_log_rest(f) + (k * VM_LN2_LOW + low))) - f);
}

/* The logarithm r of x, or what it is where x is not between 0 and infinity. */
VM_FN V vm_log_edges(V x, V r)
{
    V edge = vm_sel(x == 0.0, v_set(-__builtin_inf()), vm_sel(x < 0.0, v_set(__builtin_nan("")), x));
    return vm_sel((x > 0.0) & (x < __builtin_inf()), r, edge);
}

/* k ln 2 + log m. Largest error 0.79, 0.75. */
VM_CALLED V v_log(V x)
{
    V k, m = vm_frexp(x, &k);
    return vm_log_edges(x, vm_log_sum(m - 1.0, v_set(0), k));
}

/* log(1 + x + low), x > -1 finite: what 1 + x loses belongs to f, where x is small f is x itself; from 2^60 on the 1 is lost. */
VM_FN V vm_log1p_parts(V x, V low)
{
    V u = 1.0 + x, t = u - 1.0, k, m1 = vm_frexp(u, &k) - 1.0;
    V c = (1.0 - (u - t)) + (x - t) + low;
    c = vm_only(x < 0x1p60, c * vm_power_of_2(-k));
    V f = m1 + c;
    return vm_log_sum(f, (m1 - f) + c, k);
}

/* 0 keeps its sign. Largest error 0.86, 0.78. */
VM_CALLED V v_log1p(V x) { return v_copysign(vm_log_edges(1.0 + x, vm_log1p_parts(x, v_set(0))), x); }

/* k times log(2) to a base plus log(1 + f) / ln base: the 20 leading bits of log(1 + f) times the 32 of 1 / ln base are exact. */
VM_FN V vm_log_to_base(V x, double inverse_high, double inverse_low, double two_high, double two_low)
{
    V k, f = vm_frexp(x, &k) - 1.0, half = 0.5 * f * f;
    V high = (V)((VM_U)(f - half) & 0xffffffff00000000), low = ((f - high) - half) + vm_log_rest(f);
    V a = k * two_high, b = high * inverse_high, sum = a + b;
    return vm_log_edges(x, sum + (((a - sum) + b) + (((low + high) * inverse_low + low * inverse_high) + k * two_low)));
}

/* Powers of 2 are exact. Largest error 0.78, 0.64. */
VM_CALLED V v_log2(V x) { return vm_log_to_base(x, 0x1.71547652p+0, 0x1.705fc2eefa2p-33, 1.0, 0.0); }

/* Largest error 0.69, 0.63. */
VM_CALLED V v_log10(V x)
{
    return vm_log_to_base(x, 0x1.bcb7b152p-2, 0x1.b9438ca9aadd5p-36, 0x1.34413508p-2, 0x1.f79fef311f12bp-34);
}

/* max(x, 0) + log(1 + e^-|x|), the exponential in two parts. Largest error 1.20, 1.17. */
VM_CALLED V v_softplus(V x)
{
    V n, high, low;
    vm_exp_parts(vm_clamp(-v_abs(x), -746, 0), v_set(0), &n, &high, &low);
    return v_maximum(x, v_set(0)) + vm_log1p_parts(vm_ldexp(high, n), vm_only(n > -64.0, low * vm_power_of_2(n)));
}

/* The larger one plus log(1 + e^-d), d the distance; equal infinities have none. Within 2 ulp of the larger of |x|, |y|, 1. */
VM_CALLED V v_logaddexp(V x, V y) { return vm_sel(x == y, x + VM_LN2, v_maximum(x, y) + v_log1p(v_exp(-v_abs(x - y)))); }

VM_CALLED V v_logaddexp2(V x, V y)
{
    return vm_sel(x == y, x + 1.0, v_maximum(x, y) + VM_LOG2_E * v_log1p(v_exp2(-v_abs(x - y))));
}

/* e^x / (e^x + e^y): the sigmoid of the difference x - y, rounded; equal infinities have equal shares. */
VM_CALLED V v_share(V x, V y) { return v_sigmoid(vm_sel(x == y, v_set(0), x - y)); }

/* log a = high + low for finite a > 0, to 2^-66: 2 s + s^3 (2/3 + s^2 P(s^2)), s and the first terms in two parts. */
VM_FN void vm_log_parts(V a, V *high, V *low)
{
    V k, m = vm_frexp(a, &k), f = m - 1.0, d = 2.0 + f, d_low = (2.0 - d) + f, inverse = 1.0 / d;
    V s = f * inverse, p = s * d, s_low = (((f - p) - vm_product_error(s, d, p)) - s * d_low) * inverse;
    V z = s * s, z_low = vm_product_error(s, s, z) + 2.0 * s * s_low;
    V rest = z * VM_POLYNOMIAL(z, 0x1.999999999999ap-2, 0x1.249249249246fp-2, 0x1.c71c71c722760p-3, 0x1.745d17417f9bcp-3,
        0x1.3b13b31187b2ap-3, 0x1.11109456b92c4p-3, 0x1.e20b7fe502b42p-4, 0x1.aaebe307b30a7p-4, 0x1.c31c491b1831fp-4);
    V c = 0x1.5555555555555p-1 + rest;
    V c_low = ((0x1.5555555555555p-1 - c) + rest) + (0x1.5555555555555p-55 + z_low * 0.4);
    V t = z * c, t_low = vm_product_error(z, c, t) + (z * c_low + z_low * c);
    V u = s * t, u_low = vm_product_error(s, t, u) + (s * t_low + s_low * t);
    V a1 = k * VM_LN2_HIGH, b1 = 2.0 * s, h1 = a1 + b1, l1 = (a1 - h1) + b1, h2 = h1 + u, l2 = (h1 - h2) + u;
    V sum = (l1 + l2) + ((2.0 * s_low + u_low) + k * VM_LN2_LOW);
    *high = h2 + sum;
    *low = (h2 - *high) + sum;
}

/* Whether x has no fraction; infinities have none. */
VM_FN VM_I vm_is_integer(V x)
{
    V a = v_abs(x);
    return (a >= 0x1p52) | ((a + 0x1p52) - 0x1p52 == a);
}

/* e^(y log|x|), the logarithm in two parts; then the sign, and the special cases of C99 F.9.4.4. y is clamped to 2^65: beyond,
   the power is 0, 1 or infinite anyway. Largest error 0.78, 0.76. */
VM_CALLED V v_pow(V x, V y)
{
    V high, low, n, a = v_abs(x), bounded = vm_clamp(y, -0x1p65, 0x1p65);
    vm_log_parts(a, &high, &low);
    V p = bounded * high, p_low = vm_product_error(bounded, high, p) + bounded * low, e = vm_clamp(p, -746, 710);
    vm_exp_parts(e, vm_only(p == e, p_low), &n, &high, &low);
    V power = vm_ldexp(high, n);
    const double inf = __builtin_inf();
    VM_I zero = a == 0.0, whole = vm_is_integer(y), odd = whole & ~vm_is_integer(0.5 * y);
    power = vm_sel(zero | (a == inf), vm_only(~(zero ^ (y < 0.0)), v_set(inf)), power);
    power = vm_sel((x < 0.0) & (a < inf) & ~whole, v_set(__builtin_nan("")), power);
    power = (V)((VM_I)power ^ (odd & (VM_I)((VM_U)x & 0x8000000000000000)));
    power = vm_sel((x != x) | (y != y), x + y, power);
    return vm_sel((x == 1.0) | (y == 0.0), v_set(1.0), power);
}

/* ---- Roots ---- */

/* x = m 2^(3 k) with m from sqrt(1/8) to sqrt(8): a polynomial to 2^-9, a step of Halley's to 2^-27 (cut to 26 bits, so that its
   square is exact), another to 2^-80. Largest error 0.68, 0.68. */
VM_CALLED V v_cbrt(V x)
{
    V a = v_abs(x), e, m = vm_frexp(a, &e), k = vm_integer(e * 0x1.5555555555555p-2);
    m = m * vm_power_of_2(e - 3.0 * k);
    V t = VM_POLYNOMIAL(m, 0x1.c637271664ee3p-2, 0x1.cbf6f8b55839dp-1, -0x1.e54178bc8f440p-2, 0x1.3a06374ac1bc1p-3,
        -0x1.405cb6a5428bdp-6), cube = t * t * t;
    t = t * ((cube + 2.0 * m) / (2.0 * cube + m));
    t = (V)((VM_U)(t + 0x1p-28) & 0xfffffffff8000000);
    V r = m / (t * t);
    t = t + t * ((r - t) / ((t + t) + r));
    return vm_sel((a > 0.0) & (a < __builtin_inf()), v_copysign(t * vm_power_of_2(k), x), x);
}

/* The root of x^2 + y^2, scaled by a power of 2 where squares would overflow or lose digits. Largest error 1.19, 1.19. */
VM_CALLED V v_hypot(V x, V y)
{
    const double inf = __builtin_inf();
    V a = v_abs(x), b = v_abs(y), top = v_maximum(a, b);
    VM_I large = top > 0x1p500, small = top < 0x1p-450;
    V down = vm_sel(large, v_set(0x1p-600), vm_sel(small, v_set(0x1p600), v_set(1)));
    V up = vm_sel(large, v_set(0x1p600), vm_sel(small, v_set(0x1p-600), v_set(1)));
    a *= down, b *= down;
    return vm_sel((v_abs(x) == inf) | (v_abs(y) == inf), v_set(inf), v_sqrt(a * a + b * b) * up);
}

/* The root of w + low as a sum r + r_low, w >= 0. */
VM_FN V vm_sqrt_parts(V w, V low, V *r_low)
{
    V r = v_sqrt(w), p = r * r;
    *r_low = (((w - p) - vm_product_error(r, r, p)) + low) * (0.5 / (r + 0x1p-1000));
    return r;
}

/* ---- Inverse hyperbolic functions ---- */

/* log(1 + a + (sqrt(1 + a^2) - 1)); from 2^60 on log a + log 2. Largest error 1.21, 1.21. */
VM_CALLED V v_asinh(V x)
{
    V a = v_abs(x), b = vm_clamp(a, 0, 0x1p60), square = b * b, p = square / (1.0 + v_sqrt(1.0 + square));
    VM_I large = a > 0x1p60;
    V u = vm_sel(large, a, b + p), u_low = vm_only(~large, (b - u) + p);
    return v_copysign(vm_log_edges(1.0 + a, vm_log1p_parts(u, u_low) + vm_only(large, v_set(VM_LN2))), x);
}

/* log(1 + t + sqrt(t (t + 2))), t = x - 1, sums and the root in two parts; from 2^60 on log x + log 2.
   Largest error 0.99, 0.99. */
VM_CALLED V v_acosh(V x)
{
    V b = vm_clamp(x, 0, 0x1p60), t = b - 1.0, t_low = (b - t) - 1.0, d = b + 1.0, d_low = (b - d) + 1.0;
    V w = t * d, r_low, r = vm_sqrt_parts(w, vm_product_error(t, d, w) + (t * d_low + t_low * d), &r_low);
    VM_I large = x > 0x1p60;
    V u = vm_sel(large, x, r + t), u_low = vm_only(~large, ((r - u) + t) + (r_low + t_low));
    V result = vm_log_edges(1.0 + u, vm_log1p_parts(u, u_low) + vm_only(large, v_set(VM_LN2)));
    return vm_sel(x < 1.0, v_set(__builtin_nan("")), result);
}

/* log(1 + 2 a / (1 - a)) / 2 with a = |x|, the quotient in two parts. Largest error 0.95, 0.88. */
VM_CALLED V v_atanh(V x)
{
    V a = v_abs(x), d = 1.0 - a, d_low = (1.0 - d) - a, inverse = 1.0 / d, n = a + a, q = n * inverse, p = q * d;
    V q_low = (((n - p) - vm_product_error(q, d, p)) - q * d_low) * inverse;
    V edge = vm_sel(a == 1.0, v_set(__builtin_inf()), vm_sel(a > 1.0, v_set(__builtin_nan("")), a));
    return v_copysign(vm_sel(a < 1.0, 0.5 * vm_log1p_parts(q, q_low), edge), x);
}

/* ---- Error functions ---- */

/* erf(x) - x, |x| <= 1, to 2^-62. */
VM_FN V vm_erf_rest(V x)
{
    return x * VM_POLYNOMIAL(x * x, 0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b20p-4, -0x1.b82ce3128498dp-6,
        0x1.565bcd0db0067p-8, -0x1.c02db3d8e5b09p-11, 0x1.f9a321a03bcf0p-14, -0x1.f4d1df27b20c3p-17, 0x1.b9def0b4584abp-20,
        -0x1.5f1d2ec60955ep-23, 0x1.f7a3b9b86d867p-27, -0x1.3869a7ce6f932p-30, 0x1.05769f372029dp-34);
}

/* From 1 on 1 - e^(-x^2) y G(y), y = 1 / (x + 2): the second term is small, and plain arithmetic enough.
   Largest error 1.56, 1.45. */
VM_CALLED V v_erf(V x)
{
    V a = v_abs(x), b = vm_clamp(a, 1, 6), y = 1.0 / (b + 2.0), n, r, q;
    V g = VM_POLYNOMIAL(y - 0.21875, 0x1.e144d0fea7eedp-1, 0x1.3d029aa656fc1p+1, 0x1.0e42d9bbcff39p+2, 0x1.796d851e0a8b9p+1,
        -0x1.1355cf16542d5p+2, -0x1.14f54a6bdeb37p+3, 0x1.10cd3f00eb2fbp+3, 0x1.7ab60a4a02d78p+4, -0x1.0c59552bedc04p+5,
        -0x1.017fd98da9a5ep+6, 0x1.952dafaa8efacp+7, -0x1.0c4ea080b61f6p+7, -0x1.53558a994809ep+6);
    vm_exp_reduced(-(b * b), v_set(0), &n, &r, &q);
    V e = (1.0 + (r + q)) * vm_power_of_2(n);
    return vm_sel(a < 1.0, x + vm_erf_rest(x), v_copysign(1.0 - e * (y * g), x));
}

/* erfc(a), 1/2 <= a: e^(-a^2) y G(y), y = 1 / (a + 2), for a <= 28 to 2^-57. The square, y, G and the products are in two parts;
   the low part of y counts with the derivative of y G(y), which need be good to 1 % only. */
VM_FN V vm_erfc_far(V a)
{
    a = vm_clamp(a, 0.5, 28);
    V square = a * a, n, e, e_low, d = a + 2.0, w = d - a, d_low = (a - (d - w)) + (2.0 - w), y = 1.0 / d, p = y * d;
    V y_low = (((1.0 - p) - vm_product_error(y, d, p)) - y * d_low) * y, t = y - 0.171875;
    vm_exp_parts(-square, -vm_product_error(a, a, square), &n, &e, &e_low);
    V rest = t * (0x1.0d05e4c1fe411p+1 + t * (0x1.e16425e993feep+1 + t * VM_POLYNOMIAL(t,
        0x1.c6a5b5f237375p+1, -0x1.0b2c8f2e86193p+1, -0x1.39f70c44f347cp+3, -0x1.471dfeec7482fp-1, 0x1.db432cb636a1cp+4,
        0x1.5793ac09ee4e7p+2, -0x1.c273f52c675abp+6, 0x1.fb7c0a506a1e6p+3, 0x1.e6f1a8e162bdep+8, -0x1.a87b8b3c69e17p+8,
        -0x1.fd0119e689d8bp+10, 0x1.100c4a7f1a763p+12, 0x1.6e3bd58cad576p+12, -0x1.f6533c73c3b76p+14, 0x1.7f697f17fef93p+13,
        0x1.3b057095fe578p+17, -0x1.2bc929e2d29d2p+18, -0x1.11f963757b445p+18, 0x1.776b0e0a23533p+20, -0x1.653eada5573e4p+20)));
    V g = 0x1.aa6a3dabddc5cp-1 + rest;
    V g_low = ((0x1.aa6a3dabddc5cp-1 - g) + rest) + (t * 0x1.494899870ae64p-54 + 0x1.4c8e932619410p-56);
    V yg = y * g, slope = VM_POLYNOMIAL(t, 0x1.325p+0, 0x1.629p+2, 0x1.91bp+3, 0x1.089p+3);
    V yg_low = (vm_product_error(y, g, yg) + y * g_low) + y_low * slope, r = e * yg;
    return vm_ldexp(r + (vm_product_error(e, yg, r) + (e * yg_low + e_low * yg)), n);
}

/* Below 1/2 1 - x - (erf(x) - x); 2 - erfc(|x|) for the other negative numbers. Largest error 1.24, 1.03. */
VM_CALLED V v_erfc(V x)
{
    V a = v_abs(x), far = vm_erfc_far(a), high = 1.0 - x;
    V near = high + (((1.0 - high) - x) - vm_erf_rest(x));
    return vm_sel(a < 0.5, near, vm_sel(x < 0.0, 2.0 - far, far));
}

/* ---- Angles ---- */

/* x = q pi/2 + high + low in the lanes |x| > 2^20: 192 bits of 2 / pi times the significand, modulo 4 (Payne and Hanek). */
static __attribute__((noinline, unused)) void vm_reduce_large_angles(const V *x, V *high, V *low, VM_U *q)
{
    static const uint64_t two_over_pi[] = {0, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
        0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484, 0xe99c7026b45f7e41,
        0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7,
        0x4f463f669e5fea2d, 0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};
    const double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54;
    for (int i = 0; i < VM_W; i++) {
        double v = (*x)[i];
        uint64_t bits, a[3];
        if (v >= -0x1p20 && v <= 0x1p20)
            continue;
        if (v - v != 0.0) { /* infinite, or nan */
            (*high)[i] = v - v;
            continue;
        }
        __builtin_memcpy(&bits, &v, 8);
        uint64_t m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
        int first = (int)(bits >> 52 & 2047) - 1075 + 62, word = first >> 6, shift = first & 63; /* the first bit that matters */
        for (int j = 0; j < 3; j++)
            a[j] = shift ? two_over_pi[word + j] << shift | two_over_pi[word + j + 1] >> (64 - shift) : two_over_pi[word + j];
        unsigned __int128 last = (unsigned __int128)m * a[2], middle = (unsigned __int128)m * a[1] + (uint64_t)(last >> 64);
        uint64_t top = m * a[0] + (uint64_t)(middle >> 64), mid = (uint64_t)middle; /* the product: 2 bits before the point */
        uint64_t quarter = (top >> 62) + (top >> 61 & 1);
        __int128 f = (__int128)((unsigned __int128)(top << 2 | mid >> 62) << 64 | (mid << 2 | (uint64_t)last >> 62));
        f >>= 1; /* so that (double)f converts back without overflow */
        double h = (double)f, l = (double)(f - (__int128)h) * 0x1p-127;
        h *= 0x1p-127;
        double p = h * half_pi, p_low = vm_product_error(v_set(h), v_set(half_pi), v_set(p))[0] + (h * half_pi_low + l * half_pi);
        (*high)[i] = v < 0 ? -p : p;
        (*low)[i] = v < 0 ? -p_low : p_low;
        (*q)[i] = v < 0 ? -quarter : quarter;
    }
}

/* x = q pi/2 + high + low, |high| <= pi/4; returns q, of which the two lowest bits count. pi/2 is cut into four parts. */
VM_FN VM_U vm_reduce_angle(V x, V *high, V *low)
{
    V n = x * 0x1.45f306dc9c883p-1 + VM_INTEGER;
    VM_U q = (VM_U)n;
    n = n - VM_INTEGER;
    V a = x - n * 0x1.921fb544p+0, w = n * 0x1.0b4611a6p-34, b = a - w, t = a - b;
    V lost = (a - (b + t)) + (t - w), w2 = n * 0x1.3198a2ep-69, c = b - w2, t2 = b - c;
    V lost2 = (b - (c + t2)) + (t2 - w2), rest = (lost + lost2) - n * 0x1.b839a252049c1p-104;
    V h = c + rest, l = (c - h) + rest;
    VM_I large = ~(v_abs(x) <= 0x1p20);
    long long any = 0;
    for (int i = 0; i < VM_W; i++) any |= large[i];
    if (__builtin_expect(any != 0, 0)) {
        V hs = h, ls = l; /* copies, so that the others stay in registers */
        VM_U qs = q;
        vm_reduce_large_angles(&x, &hs, &ls, &qs);
        h = hs, l = ls, q = qs;
    }
    *high = h, *low = l;
    return q;
}

/* sin(high + low) - high, |high| <= pi/4, to 2^-58. */
VM_FN V vm_sin_rest(V high, V low)
{
    V z = high * high;
    return high * z * VM_POLYNOMIAL(z, -0x1.5555555555549p-3, 0x1.111111110f842p-7, -0x1.a01a019c0a359p-13, 0x1.71de3571081ffp-19,
        -0x1.ae5e60cc9479ap-26, 0x1.5d91604d8e8c3p-33) + low * (1.0 - 0.5 * z);
}

/* cos(high + low) - first, first = 1 - high^2 / 2, to 2^-63. */
VM_FN V vm_cos_rest(V high, V low, V *first)
{
    V z = high * high, half = 0.5 * z;
    *first = 1.0 - half;
    return ((1.0 - *first) - half) + (z * z * VM_POLYNOMIAL(z, 0x1.555555555554bp-5, -0x1.6c16c16c14f47p-10,
        0x1.a01a019c7ce1bp-16, -0x1.27e4f7e543938p-22, 0x1.1ee9d3e004508p-29, -0x1.8fa292b0cca96p-37) - high * low);
}

/* sin(high + low + q pi/2). */
VM_FN V vm_sin_of(V high, V low, VM_U q)
{
    V first, s = high + vm_sin_rest(high, low), c = vm_cos_rest(high, low, &first);
    return (V)((VM_U)vm_sel(-(VM_I)(q & 1), first + c, s) ^ (q >> 1 << 63));
}

/* Largest error 0.81, 0.81. */
VM_CALLED V v_sin(V x)
{
    V high, low;
    VM_U q = vm_reduce_angle(x, &high, &low);
    return vm_sel(v_abs(x) < 0x1p-27, x, vm_sin_of(high, low, q));
}

/* Largest error 0.85, 0.79. */
VM_CALLED V v_cos(V x)
{
    V high, low;
    VM_U q = vm_reduce_angle(x, &high, &low);
    return vm_sin_of(high, low, q + 1);
}

/* The sine over the cosine, both in two parts; -cos / sin in odd quarters. Largest error 1.53, 1.42. */
VM_CALLED V v_tan(V x)
{
    V high, low, first;
    VM_U q = vm_reduce_angle(x, &high, &low);
    VM_I odd = -(VM_I)(q & 1);
    V s_rest = vm_sin_rest(high, low), s = high + s_rest, s_low = (high - s) + s_rest;
    V c_rest = vm_cos_rest(high, low, &first), c = first + c_rest, c_low = (first - c) + c_rest;
    V n = vm_sel(odd, -c, s), n_low = vm_sel(odd, -c_low, s_low), d = vm_sel(odd, s, c), d_low = vm_sel(odd, s_low, c_low);
    V t = n / d;
    return vm_sel(v_abs(x) < 0x1p-27, x, t + (n_low - t * d_low) / d);
}

/* The angle of the point (d + d_low, n + n_low), n, d >= 0, or of its mirror image at the vertical axis where `left` is set. The
   smaller coordinate over the larger one is the tangent of an angle up to pi/4; from pi/8 on (n - d) / (n + d) is that of the
   angle less pi/4. The quotient is in two parts, the polynomial good to 2^-59. */
VM_FN V vm_angle(V n, V n_low, V d, V d_low, VM_I left)
{
    VM_I steep = n > d;
    V a = vm_sel(steep, d, n), a_low = vm_sel(steep, d_low, n_low);
    V b = vm_sel(steep, n, d), b_low = vm_sel(steep, n_low, d_low);
    VM_I wide = a > b * 0x1.a82799fcef321p-2;
    V t = b - a, u = b + a;
    V top = vm_sel(wide, -t, a), top_low = a_low - vm_only(wide, ((b - t) - a) + b_low);
    V base = vm_sel(wide, u, b), base_low = b_low + vm_only(wide, ((b - u) + a) + a_low), inverse = 1.0 / base;
    V q = top * inverse, p = q * base, z = q * q;
    V q_low = (((top - p) - vm_product_error(q, base, p)) + (top_low - q * base_low)) * inverse;
    V rest = q * z * VM_POLYNOMIAL(z, -0x1.555555555553dp-2, 0x1.99999999958ecp-3, -0x1.24924922b1221p-3, 0x1.c71c70e7a25eap-4,
        -0x1.745cf90b159c7p-4, 0x1.3b111c63ea74fp-4, -0x1.10ebdd9598fb4p-4, 0x1.df1166f18f730p-5, -0x1.9cdc2433deaa0p-5,
        0x1.37ed392cd3e18p-5, -0x1.259d390608475p-6) + vm_only(z > 0.0, q_low); /* q_low has no digits where q is tiny */
    V eighths = vm_only(wide, v_set(1.0)); /* of a whole turn */
    eighths = vm_sel(steep, 2.0 - eighths, eighths);
    eighths = vm_sel(left, 4.0 - eighths, eighths);
    VM_I minus = steep ^ left;
    q = vm_sel(minus, -q, q), rest = vm_sel(minus, -rest, rest);
    V whole = eighths * 0x1.921fb54442d1p-1, sum = whole + q; /* 49 bits of pi/4: the product is exact */
    return sum + (((whole - sum) + q) + (rest + eighths * 0x1.08d313198a2ep-50));
}

/* The angle of (1, x). Largest error 0.83, 0.78. */
VM_CALLED V v_atan(V x)
{
    V zero = v_set(0);
    return v_copysign(vm_angle(vm_clamp(v_abs(x), 0, 0x1p100), zero, v_set(1), zero, (VM_I)zero), x);
}

/* Infinities stand for 1 beside 0; large and small points are scaled by a power of 2. Largest error 1.43, 1.43. */
VM_CALLED V v_atan2(V x, V y)
{
    V n = v_abs(x), d = v_abs(y), zero = v_set(0), one = v_set(1);
    VM_I n_infinite = n == __builtin_inf(), d_infinite = d == __builtin_inf(), any = n_infinite | d_infinite;
    n = vm_sel(any, vm_only(n_infinite, one), n);
    d = vm_sel(any, vm_only(d_infinite, one), d);
    d = vm_sel((n == 0.0) & (d == 0.0), one, d);
    V top = v_maximum(n, d), scale = vm_sel(top > 0x1p1000, v_set(0x1p-100), vm_sel(top < 0x1p-400, v_set(0x1p500), one));
    V angle = v_copysign(vm_angle(n * scale, zero, d * scale, zero, vm_signbit(y)), x);
    return vm_sel((x != x) | (y != y), x + y, angle);
}

/* The other leg sqrt(1 - x^2) of a right triangle with hypotenuse 1, in two parts. */
VM_FN V vm_other_leg(V x, V *low)
{
    V square = x * x, w = 1.0 - square;
    return vm_sqrt_parts(w, ((1.0 - w) - square) - vm_product_error(x, x, square), low);
}

/* The angle of (sqrt(1 - x^2), x). Largest error 0.83, 0.84. */
VM_CALLED V v_asin(V x)
{
    V low, a = v_abs(x), zero = v_set(0), leg = vm_other_leg(a, &low);
    return v_copysign(vm_angle(a, zero, leg, low, (VM_I)zero), x);
}

/* The angle of (x, sqrt(1 - x^2)). Largest error 0.95, 0.94. */
VM_CALLED V v_acos(V x)
{
    V low, leg = vm_other_leg(x, &low);
    return vm_angle(leg, low, v_abs(x), v_set(0), x < 0.0);
}
