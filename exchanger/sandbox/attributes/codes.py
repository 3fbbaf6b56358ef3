"""Country codes, language codes and zone names that standard fields accept (braze-api.md 2.5)."""

from __future__ import annotations

_COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ "
    "BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM "
    "DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS "
    "GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN "
    "KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
    "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV "
    "SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI "
    "VN VU WF WS YE YT ZA ZM ZW"
)
COUNTRY_CODES = frozenset(_COUNTRY_CODES.split())

COUNTRIES = {
    "argentina": "AR", "australia": "AU", "austria": "AT", "belgium": "BE", "brazil": "BR",
    "canada": "CA", "chile": "CL", "china": "CN", "colombia": "CO", "denmark": "DK",
    "egypt": "EG", "finland": "FI", "france": "FR", "germany": "DE", "greece": "GR",
    "india": "IN", "indonesia": "ID", "ireland": "IE", "israel": "IL", "italy": "IT",
    "japan": "JP", "mexico": "MX", "netherlands": "NL", "new zealand": "NZ", "norway": "NO",
    "poland": "PL", "portugal": "PT", "singapore": "SG", "south africa": "ZA", "spain": "ES",
    "sweden": "SE", "switzerland": "CH", "turkey": "TR", "united kingdom": "GB",
    "united states": "US", "united states of america": "US",
}  # fmt: skip

_LANGUAGES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv "
    "cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr "
    "ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw "
    "ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv "
    "ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr "
    "ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi "
    "yo za zh zu"
)
_OWN_LANGUAGES = (
    "agq bas bem bez cgg chr dav dua dyo ebu ewo fil gsw guz haw kab kam kln ksf saq swc tzm"
)
LANGUAGES = frozenset([*_LANGUAGES.split(), "mo", *_OWN_LANGUAGES.split()])
"""ISO 639-1, and codes of Braze's own list that are none."""

_RAILS_ZONES = (
    "Abu Dhabi|Adelaide|Alaska|Almaty|American Samoa|Amsterdam|Arizona|Astana|Asuncion|Athens|"
    "Atlantic Time (Canada)|Auckland|Azores|Baghdad|Baku|Bangkok|Beijing|Belgrade|Berlin|Bern|"
    "Bogota|Brasilia|Bratislava|Brisbane|Brussels|Bucharest|Budapest|Buenos Aires|Cairo|"
    "Canberra|Cape Verde Is.|Caracas|Casablanca|Central America|Central Time (US & Canada)|"
    "Chatham Is.|Chennai|Chihuahua|Chongqing|Copenhagen|Darwin|Dhaka|Dublin|"
    "Eastern Time (US & Canada)|Edinburgh|Ekaterinburg|Fiji|Georgetown|Greenland|Guadalajara|"
    "Guam|Hanoi|Harare|Hawaii|Helsinki|Hobart|Hong Kong|Indiana (East)|"
    "International Date Line West|Irkutsk|Islamabad|Istanbul|Jakarta|Jerusalem|Kabul|"
    "Kaliningrad|Kamchatka|Karachi|Kathmandu|Kiev|Kolkata|Krasnoyarsk|Kuala Lumpur|Kuwait|Kyiv|"
    "La Paz|Lima|Lisbon|Ljubljana|London|Madrid|Magadan|Marshall Is.|Mazatlan|Melbourne|"
    "Mexico City|Mid-Atlantic|Midway Island|Minsk|Monrovia|Monterrey|Montevideo|Moscow|"
    "Mountain Time (US & Canada)|Mumbai|Muscat|Nairobi|New Caledonia|New Delhi|Newfoundland|"
    "Novosibirsk|Nuku'alofa|Osaka|Pacific Time (US & Canada)|Paris|Perth|Port Moresby|Prague|"
    "Pretoria|Puerto Rico|Quito|Rangoon|Riga|Riyadh|Rome|Samara|Samoa|Santiago|Sapporo|"
    "Sarajevo|Saskatchewan|Seoul|Singapore|Skopje|Sofia|Solomon Is.|Srednekolymsk|"
    "Sri Jayawardenepura|St. Petersburg|Stockholm|Sydney|Taipei|Tallinn|Tashkent|Tbilisi|"
    "Tehran|Tijuana|Tokelau Is.|Tokyo|UTC|Ulaan Bataar|Ulaanbaatar|Urumqi|Vienna|Vilnius|"
    "Vladivostok|Volgograd|Warsaw|Wellington|West Central Africa|Yakutsk|Yerevan|Zagreb|Zurich"
)
RAILS_ZONES = frozenset(_RAILS_ZONES.split("|"))
