"""The room of C's words: what a word of the table means in C99, where its math.h has another name for it, or none.

Each text does in C what the function of the same name in the room of floats does, step for step; rows of the table that are
written in other words are printed from their own text.
"""

from __future__ import annotations

__all__ = ["HELPERS", "MATH", "TURNED"]

# Functions of math.h, by the words of the table: the same numbers at the edges.
MATH = {name: name for name in (
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "copysign", "cos", "cosh", "erf", "erfc", "exp",
    "exp2", "expm1", "floor", "fmod", "hypot", "lgamma", "log", "log10", "log1p", "log2", "pow", "sin", "sinh", "sqrt", "tan",
    "tanh", "trunc",
)} | {"abs": "fabs", "round": "rint"}  # fmt: skip

# What two of the others are made with.
TURNED = """
/* the sine (by = 0) or the cosine (by = 1) of pi x, exact in whole quarter turns */
static double turned(double x, int by)
{
    double rest = remainder(x, 0.5), quarter = 2.0 * fmod(x - rest, 2.0), z = 3.141592653589793 * rest;
    switch (((int)quarter + 4 + by) % 4) {
    case 0: return sin(z);
    case 1: return cos(z);
    case 2: return -sin(z);
    default: return -cos(z);
    }
}
"""

# The rest, each after the words it uses.
HELPERS = {
    "greater": """
static double greater(double x, double y) { return x > y ? 1.0 : 0.0; }
""",
    "where": """
static double where(double condition, double x, double y) { return condition != 0.0 ? x : y; }
""",
    "maximum": """
/* nan if either is nan, unlike fmax */
static double maximum(double x, double y) { return x > y || x != x ? x : y; }
""",
    "minimum": """
static double minimum(double x, double y) { return x < y || x != x ? x : y; }
""",
    "sign": """
static double sign(double x) { return x != x || x == 0.0 ? x : copysign(1.0, x); }
""",
    "sech2": """
/* 1 / cosh(x)^2 */
static double sech2(double x)
{
    double power = exp(-2.0 * fabs(x)), size = 1.0 + power;
    return 4.0 * power / (size * size);
}
""",
    "logaddexp": """
/* log(exp(x) + exp(y)) */
static double logaddexp(double x, double y)
{
    if (x == y) /* equal infinities too */
        return x + 0.6931471805599453;
    return (x > y || x != x ? x : y) + log1p(exp(-fabs(x - y)));
}
""",
    "logaddexp2": """
/* log2(2^x + 2^y) */
static double logaddexp2(double x, double y)
{
    if (x == y)
        return x + 1.0;
    return (x > y || x != x ? x : y) + 1.4426950408889634 * log1p(pow(2.0, -fabs(x - y)));
}
""",
    "share": """
/* exp(x) / (exp(x) + exp(y)); equal infinities have equal shares */
static double share(double x, double y)
{
    double power = exp(-fabs(x - y));
    return x == y ? 0.5 : (x < y ? power : 1.0) / (1.0 + power);
}
""",
    "mod": """
/* the remainder with the sign of y */
static double mod(double x, double y)
{
    double rest = fmod(x, y);
    if (rest == 0.0)
        return copysign(0.0, y);
    return (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}
""",
    "floor_divide": """
static double floor_divide(double x, double y)
{
    double rest, quotient, whole;
    if (y == 0.0)
        return x / y;
    rest = fmod(x, y);
    quotient = (x - rest) / y;
    if (rest != 0.0 && (y < 0.0) != (rest < 0.0))
        quotient -= 1.0;
    if (quotient == 0.0)
        return copysign(0.0, x / y);
    whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}
""",
    "polygamma": """
/* n! / x^(n+1) */
static double inverse_power(int n, double x)
{
    double power = 1.0;
    for (int k = 1; k <= n; k++)
        power *= k / x;
    return power / x;
}

/* The n-th derivative of digamma: reflection below 0, recurrence up to 20, then the asymptotic series
   (Abramowitz and Stegun 6.4.6, 6.4.7, 6.4.11). */
static double polygamma(double n, double x)
{
    static const double bernoulli[] = {1.0 / 6.0, -1.0 / 30.0, 1.0 / 42.0, -1.0 / 30.0, 5.0 / 66.0,
        -691.0 / 2730.0, 7.0 / 6.0, -3617.0 / 510.0, 43867.0 / 798.0, -174611.0 / 330.0};
    const double pi = 3.141592653589793;
    double total = 0.0, lost = 0.0, lead, rising, terms[240];
    int order, count = 0;
    if (!(n >= 0.0 && n <= 170.0) || n != floor(n) || x != x || x == -INFINITY)
        return NAN;
    order = (int)n;
    if (x == INFINITY)
        return order == 0 ? INFINITY : 0.0;
    if (x <= 0.0 && x == floor(x))
        return order % 2 == 0 ? NAN : INFINITY;
    if (x < -20.0) { /* d/dx p(cot pi x) = -pi (1 + c^2) p'(c) */
        double cot = turned(x, 1) / turned(x, 0), powers[174] = {0.0, 1.0}, slope[174], cotangent = 0.0;
        for (int k = 0; k < order; k++) {
            for (int i = 0; i <= k; i++)
                slope[i] = (i + 1) * powers[i + 1];
            for (int i = 0; i <= k + 2; i++)
                powers[i] = -pi * ((i <= k ? slope[i] : 0.0) + (i >= 2 ? slope[i - 2] : 0.0));
        }
        for (int i = order + 1; i >= 0; i--)
            cotangent = cotangent * cot + powers[i];
        return (order % 2 == 0 ? 1.0 : -1.0) * polygamma(n, 1.0 - x) - pi * cotangent;
    }
    while (x < 20.0 + order) {
        terms[count++] = inverse_power(order, x);
        x += 1.0;
    }
    lead = order ? inverse_power(order - 1, x) : -log(x);
    terms[count++] = lead;
    terms[count++] = 0.5 * inverse_power(order, x);
    for (int k = 1; k <= 10; k++) {
        rising = 1.0 / (2 * k);
        if (order) {
            rising = 1.0;
            for (int i = 0; i < 2 * k; i++)
                rising *= (double)(order + i) / (i + 1);
        }
        terms[count++] = (order ? lead : 1.0) * bernoulli[k - 1] * rising / pow(x, 2.0 * k);
    }
    for (int k = 0; k < count; k++) { /* what a sum loses is added in the end (Neumaier) */
        double sum = total + terms[k];
        lost += fabs(total) >= fabs(terms[k]) ? (total - sum) + terms[k] : (terms[k] - sum) + total;
        total = sum;
    }
    return (order % 2 == 0 ? -1.0 : 1.0) * (total - total == 0.0 ? total + lost : total);
}
""",
    "dsinc": """
/* The n-th derivative of sinc(x) = sin(pi x) / (pi x): near 0 by parts, elsewhere by the recurrence
   x s_n + n s_(n-1) = sin^(n)(pi x) / pi. */
static double dsinc(double n, double x)
{
    const double pi = 3.141592653589793;
    double z = pi * x, s, sine, cosine;
    int order;
    if (!(n >= 0.0 && n <= 170.0) || n != floor(n) || z != z)
        return NAN;
    if (x - x != 0.0)
        return 0.0;
    order = (int)n;
    sine = turned(x, 0);
    cosine = turned(x, 1);
    if (fabs(z) < 1.0 + order) {
        double re = 0.0, im = 0.0, a = 1.0 / (order + 1), b = 0.0;
        for (int k = 2; k < 42 + order; k++) { /* total += term, term *= -i z / (order + k) */
            double next = b * z / (order + k);
            re += a;
            im += b;
            b = -a * z / (order + k);
            a = next;
        }
        double parts[4];
        parts[0] = re * cosine - im * sine;
        parts[1] = -(re * sine + im * cosine);
        parts[2] = -parts[0];
        parts[3] = -parts[1];
        return pow(pi, order) * parts[order % 4];
    }
    s = sine / z;
    for (int k = 1; k <= order; k++) {
        double waves[4] = {sine, cosine, -sine, -cosine};
        s = (waves[k % 4] * pow(pi, k - 1) - k * s) / x;
    }
    return s;
}
""",
}
