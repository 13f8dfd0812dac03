"""What a machine of ours looks like when it is asked for, and whether one that is there is it."""

from __future__ import annotations

from google.cloud import compute_v1

from app.gateways.compute.driver import Step, proof_of
from app.gateways.compute.gce_names import labels
from app.gateways.compute.gce_settings import GceSettings

LONGEST_DAYS = 120
"""The longest run time the cloud grants: it deletes the machine even if the platform is dead."""
_DISK_GB = 10


def request(settings: GceSettings, step: Step, metadata: dict[str, str]) -> compute_v1.Instance:
    """The body of an insertion: no service account, shielded, its disk goes with it.

    A task's machine gets whatever address is free, and is not started again once it has ended.
    """
    marks = labels(settings, step)
    tier = settings.network_tier
    longest = step.longest or LONGEST_DAYS * 86400
    whose = "a task" if step.is_task else "bot"
    return compute_v1.Instance(
        name=step.machine_name,
        description=f"plutarc, {whose} {step.bot}, generation {step.generation}",
        machine_type=f"zones/{step.zone}/machineTypes/{settings.machine_type}",
        labels=marks,
        disks=[
            compute_v1.AttachedDisk(
                boot=True,
                auto_delete=True,
                initialize_params=compute_v1.AttachedDiskInitializeParams(
                    source_image=settings.image, disk_size_gb=_DISK_GB, labels=marks
                ),
            )
        ],
        network_interfaces=[
            compute_v1.NetworkInterface(
                access_configs=[
                    compute_v1.AccessConfig(
                        name="External NAT",
                        type_="ONE_TO_ONE_NAT",
                        nat_i_p=step.ip,
                        network_tier=tier,
                    )
                ]
            )
        ],
        shielded_instance_config=compute_v1.ShieldedInstanceConfig(
            enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
        ),
        scheduling=compute_v1.Scheduling(
            max_run_duration=compute_v1.Duration(seconds=longest),
            instance_termination_action="DELETE",
            on_host_maintenance="MIGRATE",
            automatic_restart=not step.is_task,
            provisioning_model="STANDARD",
        ),
        metadata=compute_v1.Metadata(
            items=[compute_v1.Items(key=key, value=text) for key, text in sorted(metadata.items())]
        ),
    )


def address_request(settings: GceSettings, step: Step, description: str) -> compute_v1.Address:
    """The body of a reservation."""
    marks = {key: value for key, value in labels(settings, step).items() if key != "generation"}
    return compute_v1.Address(
        name=step.address_name,
        description=description,
        address_type="EXTERNAL",
        network_tier=settings.network_tier,
        labels=marks,
    )


def ip_of(machine: compute_v1.Instance) -> str | None:
    """The address a machine goes out by."""
    for interface in machine.network_interfaces:
        for config in interface.access_configs:
            if config.nat_i_p:
                return config.nat_i_p
    return None


def was_started_by(step: Step, machine: compute_v1.Instance) -> bool:
    """Whether it was given the token of this step, where the step says which."""
    given = {item.key: item.value for item in machine.metadata.items}
    return not step.proof or proof_of(given.get("plutarc-token", "")) == step.proof


def difference(step: Step, machine: compute_v1.Instance) -> str:
    """How a machine of that name differs from the one the step asks for, or nothing."""
    if step.generation is not None and machine.labels.get("generation") != str(step.generation):
        return "it bears another generation"
    if step.ip is not None and ip_of(machine) != step.ip:
        return f"its address is {ip_of(machine)} and not {step.ip}"
    if machine.service_accounts:
        return "it has a service account"
    return ""
