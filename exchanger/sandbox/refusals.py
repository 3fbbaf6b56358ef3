"""Why track refuses an object: the documented codes and the sentences seen (braze-api.md 2.10)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Refusal:
    """
    One reason to refuse an object.

    Args:
        code: The documented code; the sentence again where none is documented.
        sentence: The wording observed, or ours where only the code is known.
    """

    code: str
    sentence: str

    def told(self, style: Literal["sentence", "code"]) -> str:
        """The text of ``type`` in the error."""
        return self.code if style == "code" else self.sentence


def _uncoded(sentence: str) -> Refusal:
    return Refusal(sentence, sentence)


NO_IDENTIFIER = _uncoded("'external_id', 'braze_id', 'user_alias', 'email' or 'phone' is required")
SEVERAL_IDENTIFIERS = _uncoded(
    "You must specify only one of 'external_id', 'user_alias' or 'braze_id'"
)
NOT_AN_OBJECT = _uncoded("each element must be an object")
NO_EVENT_NAME = _uncoded("'name' is required")
NO_PRODUCT = _uncoded("'product_id' is required")
BAD_TIME = _uncoded("'time' is not valid")
NO_TIME = _uncoded("'time' is required")
BAD_CURRENCY = _uncoded("'currency' must be an ISO 4217 currency")
BAD_PRICE = _uncoded("'price' is not valid")
BAD_QUANTITY = _uncoded("'quantity' is not valid")
BAD_PROPERTIES = _uncoded("Invalid 'properties' field")

EXTERNAL_ID_TOO_LARGE = Refusal(
    "EXTERNAL_USER_ID_TOO_LARGE", "'external_id' must not be larger than 987 bytes"
)
BAD_EMAIL = Refusal(
    "EMAIL_BAD_FORMAT", "The value provided for the 'email' field is not a valid email."
)
BAD_EMAIL_SUBSCRIBE = Refusal(
    "BAD_EMAIL_SUBSCRIPTION_STATE",
    "'email_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
)
BAD_PUSH_SUBSCRIBE = Refusal(
    "BAD_PUSH_SUBSCRIPTION_STATE",
    "'push_subscribe' must be 'subscribed', 'unsubscribed', or 'opted_in'",
)
BAD_LOCATION = Refusal(
    "BAD_LOCATION_UPDATE", "'current_location' must be an object with longitude and latitude"
)
EMAIL_SUBSCRIPTION_INFO = Refusal(
    "INVALID_ATTRIBUTE_EMAIL_SUBSCRIPTION_INFO", "'email_subscription_info' is not an attribute"
)
BAD_GROUPS = Refusal("BAD_SUBSCRIPTION_GROUP_ARRAY", "'subscription_groups' must be an array")
BAD_GROUP = Refusal(
    "BAD_SUBSCRIPTION_GROUP_HASH",
    "'subscription_groups' elements need 'subscription_group_id' and 'subscription_state'",
)
BAD_GROUP_ID = Refusal("BAD_SUBSCRIPTION_GROUP_ID", "'subscription_group_id' is not valid")
BAD_GROUP_STATE = Refusal(
    "BAD_SUBSCRIPTION_GROUP_STATE", "'subscription_state' must be 'subscribed' or 'unsubscribed'"
)
BAD_TOKEN_IMPORT = Refusal(
    "BAD_PUSH_TOKEN_IMPORT", "token import must have tokens and no external_id or braze_id"
)
BAD_TOKENS = Refusal("BAD_PUSH_TOKEN_VALUE", "'push_tokens' must be an array of objects")
BAD_TOKEN = Refusal("BAD_PUSH_TOKEN_STRING", "'token' must be a string")
BAD_DEVICE = Refusal(
    "BAD_DEVICE_ID",
    "token import with 'device_id' must have a device_id less than 255 bytes and at least 8 bytes",
)
ALIAS_TOO_LARGE = _uncoded(
    "'alias_name' and 'alias_label' of 'user_alias' must not be larger than 236 bytes"
)
BAD_PHONE = _uncoded("The value provided for the 'phone' field is not a valid phone number.")
