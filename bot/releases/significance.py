"""Is the difference of two rates more than chance? Fisher's exact test, since counts of votes are small."""

from __future__ import annotations

from math import exp, lgamma

_EQUAL = 1 + 1e-7
"""Tables as probable as the one seen count as such in spite of rounding; the same factor as R's fisher.test."""


def fisher(hits: int, of: int, other_hits: int, other_of: int) -> float:
    """Two-sided p: how often two equal rates would differ at least as improbably as `hits`/`of` and `other_hits`/`other_of` do.

    R. A. Fisher, Statistical Methods for Research Workers, 5th ed. 1934; two-sided as the sum over all tables with the same margins
    that are no more probable than the one seen (A. Agresti, Categorical Data Analysis, "Fisher's exact test").
    """
    if not (0 <= hits <= of and 0 <= other_hits <= other_of):
        raise ValueError("more hits than cases")
    total = hits + other_hits

    def logarithm(first: int) -> float:
        """Of the hypergeometric probability that `first` of all hits fall into the first group."""
        return _choose(of, first) + _choose(other_of, total - first) - _choose(of + other_of, total)

    possible = range(max(0, total - other_of), min(of, total) + 1)
    seen = exp(logarithm(hits)) * _EQUAL
    return min(1.0, sum(p for p in map(exp, map(logarithm, possible)) if p <= seen))


def _choose(n: int, k: int) -> float:
    """Logarithm of the binomial coefficient."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
