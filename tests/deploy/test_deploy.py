"""What an operator takes from `deploy/` is whole, says the same everywhere, and starts the service."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from calendar_service import config
from calendar_service.config import new_keys
from calendar_service.config.variables import NAMES
from tests.deploy.compose import DEPLOY, EXAMPLE, services

UNITS: Final = sorted((DEPLOY / "systemd").iterdir())
KUSTOMIZATION: Final = yaml.safe_load((DEPLOY / "kustomization.yaml").read_text("utf-8"))
OBJECTS: Final = [
    one
    for name in KUSTOMIZATION["resources"]
    for one in yaml.safe_load_all((DEPLOY / name).read_text("utf-8"))
]
KUBERNETES: Final = "1.30"
"""The oldest version of which the manifests are validated."""
SECRETS: Final = {
    "database-url",
    "keyring",
    "identity-key",
    "signing-key",
    "api-keys",
    "google-client-secret",
}


def pods() -> list[dict[str, Any]]:
    of_jobs = (one["spec"]["jobTemplate"]["spec"] for one in OBJECTS if one["kind"] == "CronJob")
    of_deployments = (one["spec"] for one in OBJECTS if one["kind"] == "Deployment")
    return [spec["template"]["spec"] for spec in (*of_deployments, *of_jobs)]


def containers() -> list[dict[str, Any]]:
    return [one for pod in pods() for one in (*pod.get("initContainers", ()), *pod["containers"])]


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Return the settings of a unit; systemd lets them repeat."""
    settings: dict[str, list[str]] = {}
    for line in unit.read_text("utf-8").splitlines():
        name, given, value = line.partition("=")
        if given and line[0] != "#":
            settings.setdefault(name, []).append(value)
    return settings


def of_kubernetes() -> dict[str, str]:
    literals = next(one for one in KUSTOMIZATION["configMapGenerator"] if one.get("envs"))["literals"]
    return EXAMPLE | dict(line.split("=", 1) for line in literals)


@pytest.mark.parametrize(
    "variables", [services()["web"]["environment"], of_kubernetes()], ids=["compose", "kubernetes"]
)
def test_the_example_starts_the_service_once_the_secrets_are_there(
    variables: Mapping[str, str], tmp_path: Path
) -> None:
    assert set(variables) <= set(NAMES)
    assert {Path(path).name for name, path in variables.items() if name.endswith("_FILE")} == SECRETS
    here = dict(variables)
    fill(tmp_path, here)
    loaded = config.load(here)
    assert loaded.is_production
    assert loaded.public_url == EXAMPLE["CALENDAR_PUBLIC_URL"]


def fill(home: Path, variables: dict[str, str]) -> None:
    """Write the files that the variables name, and name them where they are."""
    values = {
        "database-url": "unix://calendar-service:password@/run/valkey/valkey.sock",
        "api-keys": f"console:*:backend:{'0' * 64}",
        "google-client-secret": "GOCSPX-something",
        "keyring": new_keys.new_keyring(),
        "identity-key": new_keys.new_key(),
        "signing-key": new_keys.new_key(),
    }
    for variable, path in variables.items():
        if variable.endswith("_FILE"):
            (home / Path(path).name).write_text(values[Path(path).name], "ascii")
            variables[variable] = str(home / Path(path).name)
    (home / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "ascii")
    overlay = (DEPLOY / "operator.toml").read_text("utf-8").replace("/etc/calendar", str(home))
    (home / "operator.toml").write_text(overlay, "utf-8")
    variables["CALENDAR_OPERATOR"] = str(home / "operator.toml")


def test_an_example_value_is_refused_where_it_has_to_be_the_operators_own(tmp_path: Path) -> None:
    here = of_kubernetes() | {"CALENDAR_PUBLIC_URL": "https://calendar.example.org"}
    fill(tmp_path, here)
    with pytest.raises(config.ConfigurationFaults, match="CALENDAR_PUBLIC_URL"):
        config.load(here)


def test_no_process_of_compose_can_write_its_files_or_gain_a_right() -> None:
    for name, service in services().items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name


def test_compose_opens_the_proxys_port_alone_and_the_database_has_no_network() -> None:
    ports = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert ports == {"web": ["443:443"]}
    assert services()["web"]["command"] == ["serve"]  # on 127.0.0.1
    assert services()["proxy"]["network_mode"] == "service:web"
    assert services()["valkey"]["network_mode"] == "none"


def test_every_file_that_compose_mounts_is_here_or_is_one_that_the_operator_makes() -> None:
    paths = {
        volume.split(":")[0]
        for service in services().values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    }
    absent = {path for path in paths if not (DEPLOY / path).exists()}
    assert absent <= {
        "./secrets",
        "./logo.svg",
        "./tls/calendar.pem",
        "./tls/calendar.key",
        "./secrets/redis-users.acl",
    }
    ignored = (DEPLOY.parent / ".gitignore").read_text("ascii").split()
    assert {"deploy/.env", "deploy/secrets/", "deploy/tls/", "deploy/logo.svg"} <= set(ignored)


def test_compose_and_kubernetes_start_the_same_proxy_by_the_same_image() -> None:
    proxy = next(one for one in containers() if one["name"] == "proxy")
    assert (proxy["image"], proxy["command"][:2]) == (services()["proxy"]["image"], ["sh", "-c"])
    text = (DEPLOY / "nginx.conf").read_text("utf-8")
    for place in ("/etc/nginx/calendar.pem", "/etc/nginx/calendar.key", "/var/log/nginx/calendar.log"):
        assert place in text
        assert place in str(proxy)
        assert place in str(services()["proxy"])


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_every_manifest_is_one_of_kubernetes(one: dict[str, Any]) -> None:
    kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_a_manifest_with_a_wrong_field_is_seen() -> None:
    service = next(one for one in OBJECTS if one["kind"] == "Service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service | {"spec": {"ports": "443"}}, KUBERNETES, strict=True)


def test_kustomize_gives_each_map_that_a_pod_names_and_its_files_are_here_or_the_operators() -> None:
    maps = {one["name"]: one for one in KUSTOMIZATION["configMapGenerator"]}
    named = {
        volume["configMap"]["name"] for pod in pods() for volume in pod["volumes"] if "configMap" in volume
    }
    named |= {source["configMapRef"]["name"] for one in containers() for source in one.get("envFrom", ())}
    assert named == set(maps)
    files = {name for one in maps.values() for name in one.get("files", ())}
    assert {name for name in files if not (DEPLOY / name).exists()} <= {"logo.svg"}


def test_every_container_is_unprivileged_and_its_root_cannot_be_written() -> None:
    for one in containers():
        context = one["securityContext"]
        assert context["readOnlyRootFilesystem"]
        assert not context["allowPrivilegeEscalation"]
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert context["runAsUser"] > 0
    assert not any(pod["automountServiceAccountToken"] for pod in pods())


def test_a_web_pod_is_alive_by_itself_and_ready_by_its_examination() -> None:
    web = next(one for one in containers() if one["name"] == "web")
    paths = {probe: web[probe]["httpGet"]["path"] for probe in web if probe.endswith("Probe")}
    assert paths == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}


def test_the_network_lets_out_names_the_database_and_443_alone() -> None:
    (policy,) = (one["spec"] for one in OBJECTS if one["kind"] == "NetworkPolicy")
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    ports = [sorted({port["port"] for port in rule["ports"]}) for rule in policy["egress"]]
    assert ports == [[53], [6379, 26379], [443]]
    assert all(rule["to"] for rule in policy["egress"])


def test_each_deployment_keeps_one_pod_through_a_disruption() -> None:
    budgets = {
        one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == "PodDisruptionBudget"
    }
    deployments = {one["metadata"]["name"]: one["spec"] for one in OBJECTS if one["kind"] == "Deployment"}
    assert set(budgets) == set(deployments)
    for name, spec in deployments.items():
        assert budgets[name]["selector"] == spec["selector"]
        assert budgets[name]["minAvailable"] < spec["replicas"]


@pytest.mark.parametrize("unit", [one for one in UNITS if one.suffix == ".service"], ids=lambda one: one.name)
def test_every_unit_runs_as_a_user_of_its_own_without_a_capability(unit: Path) -> None:
    settings = settings_of(unit)
    assert settings["User"] == ["calendar"]
    assert settings["CapabilityBoundingSet"] == [""]
    for name in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectKernelTunables"):
        assert settings[name] == ["yes"], name
    assert settings["ProtectSystem"] == ["strict"]


def test_the_units_start_commands_that_exist() -> None:
    words = [line.split()[1:3] for unit in UNITS for line in settings_of(unit).get("ExecStart", ())]
    assert words == [["audit", "export"], ["audit", "verify"], ["serve"], ["work"]]


def test_kubernetes_exports_the_audit_log_each_day_and_verifies_what_it_wrote() -> None:
    (spec,) = (one["spec"] for one in OBJECTS if one["kind"] == "CronJob")
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (export,), (verify,) = pod["initContainers"], pod["containers"]
    assert (export["args"][:3], verify["args"][:2]) == (["audit", "export", "--output"], ["audit", "verify"])
    assert export["args"][3] == verify["args"][2]
    mount = next(
        one for one in export["volumeMounts"] if export["args"][3].startswith(one["mountPath"] + "/")
    )
    volume = next(one for one in pod["volumes"] if one["name"] == mount["name"])
    claims = {one["metadata"]["name"] for one in OBJECTS if one["kind"] == "PersistentVolumeClaim"}
    assert volume["persistentVolumeClaim"]["claimName"] in claims
    assert int(spec["schedule"].split()[1]) in range(24)
    assert spec["schedule"].split()[2:] == ["*", "*", "*"]


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/opt/calendar/bin/calendar-service", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")
    result = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode, result.stderr) == (0, "")
