"""What Braze demands of events and purchases (braze-api.md 2.8, 2.9)."""

from __future__ import annotations

from exchanger.braze.orders import EVENTS, PREFIX

LONGEST_PROPERTIES = 102_400
"""Bytes of the properties of an event, once a list or an object is among them."""
LONGEST_PURCHASE_PROPERTIES = 50 << 10
"""Bytes of the properties of a purchase."""
MOST_PROPERTIES = 256
"""Properties of an event; Braze leaves out further ones without a word."""
MOST_PIECES = 100
"""Of a purchase, which Braze handles as so many single ones."""
EVENT_PROPERTIES = frozenset({"time", "event_name"})
"""Names that no property of an event may have."""
PURCHASE_PROPERTIES = EVENT_PROPERTIES | {"product_id", "quantity", "price", "currency"}
"""Names that no property of a purchase may have."""
RESERVED = {"events": EVENT_PROPERTIES, "purchases": PURCHASE_PROPERTIES}
"""Both, by what the objects are."""
ORDER_EVENTS = frozenset(PREFIX + name for name in EVENTS)
"""Names of events that have a strict form of their own: Braze drops what differs."""

_CURRENCIES = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN "
    "BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP "
    "ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR "
    "ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR "
    "PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL "
    "THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF "
    "XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA XXX YER ZAR ZMW ZWG ZWL"
)
CURRENCIES = frozenset(_CURRENCIES.split())
"""Codes of ISO 4217, also of those that were replaced lately."""
