"""What somebody has to do about a connection, or what is waited for, as sentences in both languages."""

from typing import Final

_RESUME: Final = "resume"

ACTIONS: Final[dict[tuple[str, str], dict[str, str]]] = {
    ("connect", "agent"): {
        "en": "Connect Google Calendar on the settings page; it is optional.",
        "es": "Conectar Google Calendar en la página de ajustes; es opcional.",
    },
    ("connect_again", "agent"): {
        "en": "Connect Google Calendar again on the settings page. Until then sessions are in the console only.",
        "es": "Conectar de nuevo Google Calendar en la página de ajustes. Hasta entonces las sesiones están solo en la "
        "consola.",
    },
    ("review_consent", "agent"): {
        "en": "Review on the settings page what is asked of Google Calendar, and agree. Nothing happens until then.",
        "es": "Revisar en la página de ajustes lo que se pide a Google Calendar, y aceptarlo. Hasta entonces no pasa "
        "nada.",
    },
    ("create_calendar", "agent"): {
        "en": "The sessions' calendar is no longer in the account. Create it again on the settings page.",
        "es": "El calendario de las sesiones ya no está en la cuenta. Crearlo de nuevo en la página de ajustes.",
    },
    ("wait_for_calendar", "agent"): {
        "en": "Google has not made the calendar yet. The service goes on trying; the agent may try now.",
        "es": "Google aún no ha creado el calendario. El servicio sigue intentando; el agente puede intentarlo ahora.",
    },
    ("wait_for_quota", "agent"): {
        "en": "The agent's Google account has reached one of Google's limits, for hours or longer. The service goes on "
        "trying; the agent may look whether other programs write there.",
        "es": "La cuenta de Google del agente llegó a uno de los límites de Google, por horas o más. El servicio sigue "
        "intentando; el agente puede revisar si otros programas escriben allí.",
    },
    ("allow_calendar", "administrator"): {
        "en": "The account's Google administrator has blocked the app or turned off Google Calendar, and has to allow "
        "it. The service goes on trying.",
        "es": "El administrador de Google de la cuenta bloqueó la aplicación o desactivó Google Calendar, y tiene que "
        "permitirlo. El servicio sigue intentando.",
    },
    ("mend_service", "operator"): {
        "en": "Google refuses the service; its operator has to act. The service goes on trying.",
        "es": "Google rechaza al servicio; tiene que actuar su operador. El servicio sigue intentando.",
    },
    (_RESUME, "agent"): {
        "en": "The agent has paused the calendar. Resume it on the settings page.",
        "es": "El agente pausó el calendario. Reanudarlo en la página de ajustes.",
    },
    (_RESUME, "administrator"): {
        "en": "The organization has paused the calendar; an administrator has to resume it.",
        "es": "La organización pausó el calendario; tiene que reanudarlo una persona que la administre.",
    },
}
"""By code and by who has to act: a sentence for every pair that the journeys return."""
