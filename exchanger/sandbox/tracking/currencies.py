"""ISO 4217 codes, and the fixed rates at which amounts become USD (braze-api.md 2.9, 2.12)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exchanger.sandbox.json_text import decimal_of

_CODES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN "
    "ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD "
    "JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT "
    "MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG "
    "QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
    "TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XAG XAU XBA "
    "XBB XBC XBD XCD XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG"
)
CURRENCIES = frozenset(_CODES.split())

USD_RATES: Mapping[str, float] = {
    "EUR": 1.1, "GBP": 1.3, "CHF": 1.2, "CAD": 0.7, "AUD": 0.65, "JPY": 0.0065,
    "SEK": 0.1, "NOK": 0.1, "DKK": 0.15, "PLN": 0.25, "INR": 0.012, "CNY": 0.14, "BRL": 0.2,
}  # fmt: skip
"""USD for one unit; a currency that is not here counts as one USD."""


def is_currency(value: Any) -> bool:
    """Whether it is a code of ISO 4217, in capitals."""
    return isinstance(value, str) and value in CURRENCIES


def in_usd(amount: float, currency: str, rates: Mapping[str, float]) -> Decimal:
    """Return the exact amount in USD by the fixed *rates*."""
    return decimal_of(amount) * decimal_of(rates.get(currency, 1))
