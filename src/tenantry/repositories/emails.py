"""E-mail addresses: which ones can be, and how they are written."""

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from tenantry.errors import InvalidInput
from tenantry.repositories.checks import check_text

__all__ = ["MAX_EMAIL", "check_email", "spellings"]

MAX_EMAIL = 320
"""Characters of an address at most."""

_PUBLIC = ".example.com"


def check_email(email: str) -> str:
    """The address in lower case, without blanks around it. Raises `InvalidInput` for what is none.

    No mail is sent and no name is looked up. Names that only mean something in a house's own network, such as `.local`,
    are good, because studios run there.
    """
    written = check_text(email, "email", most=MAX_EMAIL).strip()
    try:
        return _normalized(written).lower()
    except EmailNotValidError as error:
        raise InvalidInput(
            f"This is not an e-mail address: {error}", field="email", remedy="Write it like name@example.com."
        ) from None


def spellings(email: str) -> tuple[str, str, str]:
    """How a stored address may be written that somebody means: as it is, with its domain in lower case, all in lower case.

    New addresses are stored in lower case; InvokeAI keeps the case of what stands before the @ (contract, section 4.10).
    """
    written = check_text(email, "email", most=MAX_EMAIL).strip()
    name, at, domain = written.rpartition("@")
    return written, f"{name}{at}{domain.lower()}", written.lower()


def _normalized(email: str) -> str:
    local = email.rpartition(".")[2].rpartition("@")[2].lower()
    if local not in SPECIAL_USE_DOMAIN_NAMES:
        return validate_email(email, check_deliverability=False).normalized
    # The same rules apply below a public name, which takes the place of the reserved one.
    return validate_email(email + _PUBLIC, check_deliverability=False).normalized.removesuffix(_PUBLIC)
