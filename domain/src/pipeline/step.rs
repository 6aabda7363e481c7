use std::fmt;

use serde::{Deserialize, Serialize};

/// Every step of every pipeline. Names are in the log: add freely, never rename or remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    LeaseVmid,
    EnsureImage,
    CreateGuest,
    StartGuest,
    AwaitAddress,
    AwaitUsable,
    InstallHelpers,
    DeployFiles,
    InstallPackages,
    RunScripts,
    DiscoverServices,
    CollectCredentials,
    VerifyPorts,
    /// What the template says shows that it works.
    CheckHealth,
    /// Says in the container's stream that it is ready.
    Finish,
    /// Size, name, tags, description: what Proxmox takes in one change.
    ChangeGuest,
    GrowDisk,
    /// Says in the container's stream what is different now.
    RecordChange,
    SetRootPassword,
    SuspendGuest,
    ResumeGuest,
    StopGuest,
    /// Gracefully, then forced after the limit; the fact says which.
    ShutdownGuest,
    RebootGuest,
    DestroyGuest,
    ForgetSecrets,
    ReleaseVmid,
    /// Says in the container's stream that it is gone.
    RecordRemoval,
    /// Says in the container's stream that it runs, or doesn't.
    RecordPower,
    TakeSnapshot,
    DeleteSnapshot,
    /// Stops it when it runs; the fact says whether it did.
    HaltGuest,
    RollBack,
    /// Starts it when it ran before it was halted.
    StartAgain,
    /// Looks whether the snapshot or the backup is there, before anything is stopped for it.
    FindCopy,
    BackUp,
    RestoreGuest,
    RestoreSettings,
    DeleteBackup,
    /// What a running container is cloned from.
    SnapshotSource,
    DropSourceSnapshot,
    /// Gives a copy its own name, network, size and tags.
    ConfigureGuest,
    /// Starts or stops it, as the record says.
    RestorePower,
    /// Looks once more how Proxmox has it.
    LookAgain,
    RemoveOrphan,
    /// Where a guest that is to be made anew is, under which number and hardware address.
    KeepPlace,
    /// A backup before the guest goes, when one is asked for.
    BackUpFirst,
    /// Says in the container's stream that its guest goes, and what it becomes.
    BeginRebuild,
    /// Whether the template's new version can be had without losing what the container's people changed.
    CompareFiles,
    /// Takes a snapshot to go back to; undone by going back to it.
    GuardUpdate,
    UpdateFiles,
    DropGuard,
    /// Says in the container's stream which version of its template it has.
    RecordTemplate,
    /// Puts our marker on a guest that is there.
    MarkGuest,
    /// Takes it off again.
    UnmarkGuest,
}

impl StepName {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeaseVmid => "lease_vmid",
            Self::EnsureImage => "ensure_image",
            Self::CreateGuest => "create_guest",
            Self::StartGuest => "start_guest",
            Self::AwaitAddress => "await_address",
            Self::AwaitUsable => "await_usable",
            Self::InstallHelpers => "install_helpers",
            Self::DeployFiles => "deploy_files",
            Self::InstallPackages => "install_packages",
            Self::RunScripts => "run_scripts",
            Self::DiscoverServices => "discover_services",
            Self::CollectCredentials => "collect_credentials",
            Self::VerifyPorts => "verify_ports",
            Self::CheckHealth => "check_health",
            Self::Finish => "finish",
            Self::ChangeGuest => "change_guest",
            Self::GrowDisk => "grow_disk",
            Self::RecordChange => "record_change",
            Self::SetRootPassword => "set_root_password",
            Self::SuspendGuest => "suspend_guest",
            Self::ResumeGuest => "resume_guest",
            Self::StopGuest => "stop_guest",
            Self::ShutdownGuest => "shutdown_guest",
            Self::RebootGuest => "reboot_guest",
            Self::DestroyGuest => "destroy_guest",
            Self::ForgetSecrets => "forget_secrets",
            Self::ReleaseVmid => "release_vmid",
            Self::RecordRemoval => "record_removal",
            Self::RecordPower => "record_power",
            Self::TakeSnapshot => "take_snapshot",
            Self::DeleteSnapshot => "delete_snapshot",
            Self::HaltGuest => "halt_guest",
            Self::RollBack => "roll_back",
            Self::StartAgain => "start_again",
            Self::FindCopy => "find_copy",
            Self::BackUp => "back_up",
            Self::RestoreGuest => "restore_guest",
            Self::RestoreSettings => "restore_settings",
            Self::DeleteBackup => "delete_backup",
            Self::SnapshotSource => "snapshot_source",
            Self::DropSourceSnapshot => "drop_source_snapshot",
            Self::ConfigureGuest => "configure_guest",
            Self::RestorePower => "restore_power",
            Self::LookAgain => "look_again",
            Self::RemoveOrphan => "remove_orphan",
            Self::KeepPlace => "keep_place",
            Self::BackUpFirst => "back_up_first",
            Self::BeginRebuild => "begin_rebuild",
            Self::CompareFiles => "compare_files",
            Self::GuardUpdate => "guard_update",
            Self::UpdateFiles => "update_files",
            Self::DropGuard => "drop_guard",
            Self::RecordTemplate => "record_template",
            Self::MarkGuest => "mark_guest",
            Self::UnmarkGuest => "unmark_guest",
        }
    }
}

impl StepName {
    /// For the one who watches.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::LeaseVmid => "Choosing a place and a VMID",
            Self::EnsureImage => "Making sure the image is there",
            Self::CreateGuest => "Creating the container",
            Self::StartGuest => "Starting the container",
            Self::AwaitAddress => "Waiting for its address",
            Self::AwaitUsable => "Waiting until it can be worked in",
            Self::InstallHelpers => "Installing the configuration library",
            Self::DeployFiles => "Putting files in place",
            Self::InstallPackages => "Installing packages",
            Self::RunScripts => "Running scripts",
            Self::DiscoverServices => "Looking for services",
            Self::CollectCredentials => "Collecting credentials",
            Self::VerifyPorts => "Checking that it answers",
            Self::CheckHealth => "Checking its health",
            Self::Finish => "Finishing",
            Self::ChangeGuest => "Changing the container's settings",
            Self::GrowDisk => "Growing the disk",
            Self::RecordChange => "Recording the change",
            Self::SetRootPassword => "Setting root's password",
            Self::SuspendGuest => "Suspending the container",
            Self::ResumeGuest => "Resuming the container",
            Self::StopGuest => "Stopping the container",
            Self::ShutdownGuest => "Shutting the container down",
            Self::RebootGuest => "Rebooting the container",
            Self::DestroyGuest => "Destroying the container",
            Self::ForgetSecrets => "Forgetting its secrets",
            Self::ReleaseVmid => "Releasing its VMID",
            Self::RecordRemoval => "Recording its removal",
            Self::RecordPower => "Recording its state",
            Self::TakeSnapshot => "Taking the snapshot",
            Self::DeleteSnapshot => "Deleting the snapshot",
            Self::HaltGuest => "Stopping the container, if it runs",
            Self::RollBack => "Going back to the snapshot",
            Self::StartAgain => "Starting the container, if it ran",
            Self::FindCopy => "Looking for the copy",
            Self::BackUp => "Backing up",
            Self::RestoreGuest => "Restoring from the backup",
            Self::RestoreSettings => "Giving it the settings on record",
            Self::DeleteBackup => "Deleting the backup",
            Self::SnapshotSource => "Taking a snapshot of the original, if it runs",
            Self::DropSourceSnapshot => "Deleting that snapshot again",
            Self::ConfigureGuest => "Giving it its own name and network",
            Self::RestorePower => "Starting or stopping it, as it was",
            Self::LookAgain => "Looking whether it is so now",
            Self::RemoveOrphan => "Destroying the guest that nobody has",
            Self::KeepPlace => "Looking at what is to be replaced",
            Self::BackUpFirst => "Backing it up first, if that is asked for",
            Self::BeginRebuild => "Beginning the replacement",
            Self::CompareFiles => "Comparing the container with its template",
            Self::GuardUpdate => "Taking a snapshot to go back to",
            Self::UpdateFiles => "Bringing its files up to date",
            Self::DropGuard => "Deleting the snapshot again",
            Self::RecordTemplate => "Recording the template's version",
            Self::MarkGuest => "Marking the guest as ours",
            Self::UnmarkGuest => "Taking our marker off the guest",
        }
    }
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
