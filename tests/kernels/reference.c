/* The functions of the table in long double, and how far doubles are from them. */
#include <math.h>

typedef long double L;

static L sigmoid(L x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static L sech2(L x) { L e = expl(-2 * fabsl(x)); return 4 * e / ((1 + e) * (1 + e)); }
static L softplus(L x) { return (x > 0 || x != x ? x : 0) + log1pl(expl(-fabsl(x))); }
static L power(L x, L y) { return isinf(x) ? pow(x, y) : powl(x, y); } /* the x87's powl(-inf, -2^63) of glibc 2.36 is inf */

#define ONE(name, value) \
    void name(const double *a, const double *b, L *out, long n) \
    { \
        (void)b; \
        for (long i = 0; i < n; i++) { L x = a[i]; out[i] = value; } \
    }
#define TWO(name, value) \
    void name(const double *a, const double *b, L *out, long n) \
    { \
        for (long i = 0; i < n; i++) { L x = a[i], y = b[i]; out[i] = value; } \
    }

ONE(ref_exp, expl(x)) ONE(ref_exp2, exp2l(x)) ONE(ref_expm1, expm1l(x)) ONE(ref_sigmoid, sigmoid(x)) ONE(ref_sech2, sech2(x))
ONE(ref_softplus, softplus(x)) ONE(ref_sinh, sinhl(x)) ONE(ref_cosh, coshl(x)) ONE(ref_tanh, tanhl(x))
ONE(ref_log, logl(x)) ONE(ref_log2, log2l(x)) ONE(ref_log10, log10l(x)) ONE(ref_log1p, log1pl(x))
ONE(ref_asinh, asinhl(x)) ONE(ref_acosh, acoshl(x)) ONE(ref_atanh, atanhl(x))
ONE(ref_sin, sinl(x)) ONE(ref_cos, cosl(x)) ONE(ref_tan, tanl(x)) ONE(ref_asin, asinl(x)) ONE(ref_acos, acosl(x))
ONE(ref_atan, atanl(x)) ONE(ref_erf, erfl(x)) ONE(ref_erfc, erfcl(x)) ONE(ref_cbrt, cbrtl(x)) ONE(ref_sqrt, sqrtl(x))
ONE(ref_round, rintl(x)) ONE(ref_floor, floorl(x)) ONE(ref_ceil, ceill(x)) ONE(ref_trunc, truncl(x)) ONE(ref_abs, fabsl(x))
ONE(ref_square, x * x) ONE(ref_sign, x != x || x == 0 ? x : copysignl(1, x))
TWO(ref_pow, power(x, y)) TWO(ref_hypot, hypotl(x, y)) TWO(ref_atan2, atan2l(x, y))
TWO(ref_maximum, x > y || x != x ? x : y) TWO(ref_minimum, x < y || x != x ? x : y)
TWO(ref_copysign, copysignl(x, y)) TWO(ref_greater, x > y)

int mantissa(void) { return __LDBL_MANT_DIG__; }

/* In errors[i] how many units in the last place got[i] is away; -1 if it is another infinity or sign, or one of two is nan. */
void ulps(const double *got, const L *expected, double *errors, long n)
{
    for (long i = 0; i < n; i++) {
        double g = got[i], rounded = (double)expected[i];
        L e = expected[i];
        int exponent;
        if (g != g || e != e)
            errors[i] = g != g && e != e ? 0 : -1;
        else if (!signbit(g) != !signbit(e) || (isinf(g) && fabsl(e) < 0x1.ffffffffffffep+1023L) || (isinf(e) && !isinf(g)))
            errors[i] = -1;
        else if (isinf(g) && isinf(rounded))
            errors[i] = 0;
        else if (isinf(g) || isinf(rounded)) /* infinity counts as 2^1024 */
            errors[i] = (double)(fabsl((isinf(g) ? copysignl(0x1p1024L, g) : g) - e) / 0x1p971L);
        else if (e == 0)
            errors[i] = g == 0 ? 0 : -1;
        else {
            frexpl(e, &exponent);
            errors[i] = (double)ldexpl(fabsl(g - e), exponent < -1021 ? 1074 : 53 - exponent);
        }
    }
}
