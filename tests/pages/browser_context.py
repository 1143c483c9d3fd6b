"""A browser context that is reused by one visitor after another, wiped in between."""

from playwright.sync_api import Browser, ConsoleMessage, Error, Request

LOCALES = {"en": "en-US", "es": "es-CL"}


class ReusableContext:
    """One tab in a browser context of one language; records what it fetches and what the browser complains about."""

    def __init__(self, chromium: Browser, language: str) -> None:
        self.language = language
        self.requests: list[Request] = []
        """Everything that belongs to the page shown now."""
        self.complaints: list[str] = []
        self.context = chromium.new_context(locale=LOCALES[language])
        self.context.set_default_timeout(15_000)
        self.page = self.context.new_page()
        self._protocol = self.context.new_cdp_session(self.page)
        # A page is weighed as by whoever opens it for the first time.
        self._protocol.send("Network.enable")
        self._protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.page.on("request", self._fetched)
        self.page.on("console", self._message)
        self.page.on("pageerror", self._failed)
        self.wipe()

    def _fetched(self, request: Request) -> None:
        if request.is_navigation_request() and request.frame == self.page.main_frame:
            self.requests.clear()
        self.requests.append(request)

    def _message(self, message: ConsoleMessage) -> None:
        # A refusal that is shown on purpose is an honest answer; a blocked style or form is not.
        provoked = "the server responded with a status of" in message.text
        if message.type in {"error", "warning"} and not provoked:
            self.complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))

    def wipe(self) -> None:
        """Wipe it: one tab, no cookies, wide and light, no records.

        The page last seen stays until another is opened: an empty one in between costs a process each.
        """
        for other in self.context.pages[1:]:
            other.close()
        self.page.unroute_all()
        self.page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        self.page.set_viewport_size({"width": 1280, "height": 800})
        self._protocol.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        self.context.clear_cookies()
        self.requests.clear()
        self.complaints.clear()

    def close(self) -> None:
        """Close it with everything in it."""
        self.context.close()
