"""What the pages call each scope in Spanish. English is Google's own wording; this is ours. Must hold no logic."""

from collections.abc import Mapping
from typing import Final

_PREFIX: Final = "https://www.googleapis.com/auth/"
_CALENDAR: Final = {
    "calendar": "Ver, editar, compartir y eliminar permanentemente todos los calendarios a los que puede "
    "acceder con Google Calendar",
    "calendar.acls": "Ver y cambiar los permisos para compartir los calendarios de Google de los que es "
    "propietario",
    "calendar.acls.readonly": "Ver los permisos para compartir los calendarios de Google de los que es "
    "propietario",
    "calendar.app.created": "Crear calendarios secundarios de Google, y ver, crear, cambiar y eliminar "
    "eventos en ellos",
    "calendar.calendarlist": "Ver, agregar y quitar calendarios de Google a los que está suscrito",
    "calendar.calendarlist.readonly": "Ver la lista de calendarios de Google a los que está suscrito",
    "calendar.calendars": "Ver y cambiar las propiedades de los calendarios de Google a los que tiene "
    "acceso, y crear calendarios secundarios",
    "calendar.calendars.readonly": "Ver el título, la descripción, la zona horaria predeterminada y otras "
    "propiedades de los calendarios de Google a los que tiene acceso",
    "calendar.events": "Ver y editar eventos en todos sus calendarios",
    "calendar.events.freebusy": "Ver la disponibilidad en los calendarios de Google a los que tiene acceso",
    "calendar.events.owned": "Ver, crear, cambiar y eliminar eventos en los calendarios de Google de los "
    "que es propietario",
    "calendar.events.owned.readonly": "Ver los eventos en los calendarios de Google de los que es propietario",
    "calendar.events.public.readonly": "Ver los eventos en calendarios públicos",
    "calendar.events.readonly": "Ver eventos en todos sus calendarios",
    "calendar.freebusy": "Ver su disponibilidad en sus calendarios",
    "calendar.readonly": "Ver y descargar cualquier calendario al que pueda acceder con Google Calendar",
    "calendar.settings": "Ver y editar su configuración de Calendar",
    "calendar.settings.readonly": "Ver su configuración de Calendar",
}
_EMAIL: Final = "Ver la dirección de correo principal de su cuenta de Google"
_PROFILE: Final = "Ver su información personal, incluida la que haya hecho pública"

SPANISH: Final[Mapping[str, str]] = {
    "openid": "Asociarlo con su información personal en Google",
    "email": _EMAIL,
    "profile": _PROFILE,
    f"{_PREFIX}userinfo.email": _EMAIL,
    f"{_PREFIX}userinfo.profile": _PROFILE,
    **{f"{_PREFIX}{name}": words for name, words in _CALENDAR.items()},
}
