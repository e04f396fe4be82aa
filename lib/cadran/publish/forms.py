"""What a form of a page sends, read no further than it may go."""

from urllib.parse import parse_qs

from starlette.requests import Request


class NoForm(Exception):
    """What was sent is no form of a page."""


class TooLong(Exception):
    """What was sent is longer than anything the page would send."""


async def body_of(request: Request, most: int) -> bytes:
    """The form as it came.

    Raises:
        NoForm: If it is of another kind.
        TooLong: If it has more than so many bytes.
    """
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise NoForm
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise TooLong
    return bytes(body)


async def fields_of(request: Request, most: int) -> dict[str, str]:
    """The fields of a form, each as it was given last.

    Raises:
        NoForm, TooLong: As `body_of`; also if it is no text.
    """
    try:
        fields = parse_qs(
            (await body_of(request, most)).decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20
        )
    except (UnicodeDecodeError, ValueError) as error:
        raise NoForm from error
    return {name: values[-1] for name, values in fields.items()}
