"""The reviewer console, step by step."""

from tests.pages.visitor import PageVisitor


def start(visitor: PageVisitor) -> None:
    visitor.review()


def connected(visitor: PageVisitor) -> None:
    visitor.review_connected()


def not_connected_yet(visitor: PageVisitor) -> None:
    visitor.review("agent")


def agent(visitor: PageVisitor) -> None:
    visitor.review_connected("agent")
    visitor.press("/console/sessions")


def cancel(visitor: PageVisitor) -> None:
    agent(visitor)
    visitor.open("/console?step=cancel")
    visitor.press("/console/sessions/cancel")


def pause(visitor: PageVisitor) -> None:
    visitor.review_connected("pause")
    visitor.press("/console/settings")
    visitor.press("/pause")
    visitor.open("/console")
    visitor.press("/console/sessions")


def revoke_gone(visitor: PageVisitor) -> None:
    visitor.review_connected("revoke")
    with visitor.trouble("/token", {"invalid_grant": True}):
        visitor.press("/console/check")


def keep(visitor: PageVisitor) -> None:
    visitor.review_connected("keep")
    visitor.press("/console/settings")
    visitor.open("/disconnect")
    visitor.press("/disconnect")
    visitor.open("/console")


def receipt_of_mine(visitor: PageVisitor) -> None:
    keep(visitor)
    visitor.press("/console/settings")
    visitor.press("/erase")
    with visitor.page.expect_download() as download:
        visitor.page.click("a[download]")
    visitor.open("/console?step=receipt")
    visitor.check_receipt(download.value.path().read_bytes())


def receipt_of_nobody(visitor: PageVisitor) -> None:
    visitor.review("receipt")
    visitor.check_receipt(b"{}")


def stored(visitor: PageVisitor) -> None:
    agent(visitor)
    visitor.open("/console?step=stored")


def video(visitor: PageVisitor) -> None:
    visitor.open("/console/video")


def link_over(visitor: PageVisitor) -> None:
    visitor.open("/reviewer/over")
