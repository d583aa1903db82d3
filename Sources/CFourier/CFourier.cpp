// Real transforms by packing two neighbouring samples into one complex number, so that kissfft runs on half the
// length. Only kissfft's header is used; it is BSD-3-Clause.

#include "CFourier.h"

#include <cmath>
#include <complex>
#include <kissfft/kissfft.hh>
#include <memory>
#include <new>
#include <vector>

using Complex = std::complex<double>;

struct cfourier_plan {
    std::size_t half;
    kissfft<double> transform;
    std::vector<Complex> twiddles;  // exp(−2πi k / length), k = 0 … half/2

    explicit cfourier_plan(std::size_t length)
        : half(length / 2), transform(length / 2, false), twiddles(length / 4 + 1) {
        for (std::size_t k = 0; k < twiddles.size(); ++k) {
            const double angle = -2.0 * M_PI * double(k) / double(length);
            twiddles[k] = Complex(std::cos(angle), std::sin(angle));
        }
    }
};

// std::complex's operator* guards against infinities with a library call; these values are always finite.
static inline Complex product(Complex a, Complex b) {
    return Complex(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
}

extern "C" cfourier_plan *cfourier_plan_create(size_t length) {
    size_t rest = length;
    if (length < 4 || length % 2 != 0) { return nullptr; }
    for (size_t prime : {size_t(2), size_t(3), size_t(5)}) {
        while (rest % prime == 0) { rest /= prime; }
    }
    if (rest != 1) { return nullptr; }
    try {
        return new cfourier_plan(length);
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

extern "C" void cfourier_plan_destroy(cfourier_plan *plan) { delete plan; }

extern "C" void cfourier_forward(const cfourier_plan *plan, const double *signal, double *spectrum) {
    const std::size_t n = plan->half;
    Complex *out = reinterpret_cast<Complex *>(spectrum);
    plan->transform.transform(reinterpret_cast<const Complex *>(signal), out);
    const Complex first = out[0];
    for (std::size_t k = 1; k <= n / 2; ++k) {
        const Complex a = out[k], b = std::conj(out[n - k]);
        const Complex even = 0.5 * (a + b), difference = 0.5 * (a - b);
        const Complex odd = product(Complex(difference.imag(), -difference.real()), plan->twiddles[k]);
        out[k] = even + odd;
        out[n - k] = std::conj(even - odd);
    }
    out[0] = Complex(first.real() + first.imag(), 0);
    out[n] = Complex(first.real() - first.imag(), 0);
}

extern "C" void cfourier_inverse(const cfourier_plan *plan, double *spectrum, double *signal) {
    const std::size_t n = plan->half;
    Complex *in = reinterpret_cast<Complex *>(spectrum);
    // The inverse runs as conj ∘ forward ∘ conj, so that one table of twiddles serves both directions.
    const double first = in[0].real(), last = in[n].real();
    in[0] = Complex(0.5 * (first + last), -0.5 * (first - last));
    for (std::size_t k = 1; k <= n / 2; ++k) {
        const Complex a = in[k], b = std::conj(in[n - k]);
        const Complex even = 0.5 * (a + b);
        const Complex odd = product(0.5 * (a - b), std::conj(plan->twiddles[k]));
        in[k] = std::conj(even + Complex(-odd.imag(), odd.real()));
        in[n - k] = even - Complex(-odd.imag(), odd.real());
    }
    Complex *out = reinterpret_cast<Complex *>(signal);
    plan->transform.transform(in, out);
    const double scale = 1.0 / double(n);
    for (std::size_t k = 0; k < n; ++k) { out[k] = Complex(out[k].real() * scale, -out[k].imag() * scale); }
}
