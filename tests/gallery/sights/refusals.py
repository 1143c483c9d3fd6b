"""What the settings say when Google's answer could not be taken."""

from tests.gallery.guest import Guest


def cancelled(guest: Guest) -> None:
    guest.connected(allow=False)


def blocked(guest: Guest) -> None:
    guest.settings()
    guest.answer_with_error("admin_policy_enforced")


def policy_changed(guest: Guest) -> None:
    guest.settings()
    guest.page.eval_on_selector("input[name=policy]", "field => field.value = '0'")
    guest.press("/connect")


def superseded(guest: Guest) -> None:
    guest.settings()
    older = guest.consent()
    guest.begin()
    guest.page.goto(older)


def less_than_asked(guest: Guest) -> None:
    guest.stage.google.switch(granted_scope="less")
    guest.connected()


def more_than_asked(guest: Guest) -> None:
    guest.stage.google.switch(granted_scope="more")
    guest.connected()


def more_than_asked_shared(guest: Guest) -> None:
    guest.shared()
    guest.stage.google.switch(granted_scope="more")
    guest.connected()


def no_refresh_token(guest: Guest) -> None:
    guest.stage.google.switch(refresh_token_omitted=True)
    guest.connected()


def google_trouble(guest: Guest) -> None:
    with guest.trouble("/token"):
        guest.connected()


def google_error(guest: Guest) -> None:
    guest.settings()
    guest.answer_with_error("server_error")
