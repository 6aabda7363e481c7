//! What each step of every pipeline does. One file a step; the order is in domain's tables.

mod adopt;
mod await_address;
mod await_usable;
mod backup;
mod change_guest;
mod check_health;
mod cloning;
mod collect_credentials;
mod configure_guest;
mod create_guest;
mod deploy_files;
mod destroy_guest;
mod discover_services;
mod drift;
mod ensure_image;
mod finish;
mod forget_secrets;
mod grow_disk;
mod guard_update;
mod half_made;
mod halt_guest;
mod install_helpers;
mod install_packages;
mod lease_vmid;
mod making;
mod power;
mod rebuild;
mod record_template;
mod release_vmid;
mod restore_guest;
mod restore_settings;
mod run_scripts;
mod set_root_password;
mod snapshot;
mod source_snapshot;
mod start_guest;
mod suspend;
mod update_files;
mod verify_ports;

use await_address::is_usable;
use domain::pipeline::StepName;

use crate::step::Step;

pub(crate) use create_guest::network as network_of;
pub(crate) use destroy_guest::{WHOLE, take_down};
pub(crate) use ensure_image::Available;
pub(crate) use forget_secrets::sealed_for;
pub(crate) use grow_disk::size as size_of;
pub(crate) use lease_vmid::Leased;
pub(crate) use making::tags as guest_tags;
pub(crate) use update_files::{compare, running};

/// The step of that name. Exhaustive, so that a step in a table without a doing does not compile.
pub(crate) fn step(name: StepName) -> &'static dyn Step {
    match name {
        StepName::LeaseVmid => &lease_vmid::LeaseVmid,
        StepName::EnsureImage => &ensure_image::EnsureImage,
        StepName::CreateGuest => &create_guest::CreateGuest,
        StepName::StartGuest => &start_guest::StartGuest,
        StepName::AwaitAddress => &await_address::AwaitAddress,
        StepName::AwaitUsable => &await_usable::AwaitUsable,
        StepName::InstallHelpers => &install_helpers::InstallHelpers,
        StepName::DeployFiles => &deploy_files::DeployFiles,
        StepName::InstallPackages => &install_packages::InstallPackages,
        StepName::RunScripts => &run_scripts::RunScripts,
        StepName::DiscoverServices => &discover_services::DiscoverServices,
        StepName::CollectCredentials => &collect_credentials::CollectCredentials,
        StepName::VerifyPorts => &verify_ports::VerifyPorts,
        StepName::CheckHealth => &check_health::CheckHealth,
        StepName::Finish => &finish::Finish,
        StepName::ChangeGuest => &change_guest::ChangeGuest,
        StepName::GrowDisk => &grow_disk::GrowDisk,
        StepName::RecordChange => &change_guest::RecordChange,
        StepName::SetRootPassword => &set_root_password::SetRootPassword,
        StepName::SuspendGuest => &suspend::SuspendGuest,
        StepName::ResumeGuest => &suspend::ResumeGuest,
        StepName::StopGuest => &power::StopGuest,
        StepName::ShutdownGuest => &power::ShutdownGuest,
        StepName::RebootGuest => &power::RebootGuest,
        StepName::RecordPower => &power::RecordPower,
        StepName::DestroyGuest => &destroy_guest::DestroyGuest,
        StepName::ForgetSecrets => &forget_secrets::ForgetSecrets,
        StepName::ReleaseVmid => &release_vmid::ReleaseVmid,
        StepName::RecordRemoval => &release_vmid::RecordRemoval,
        StepName::TakeSnapshot => &snapshot::TakeSnapshot,
        StepName::DeleteSnapshot => &snapshot::DeleteSnapshot,
        StepName::RollBack => &snapshot::RollBack,
        StepName::HaltGuest => &halt_guest::HaltGuest,
        StepName::StartAgain => &halt_guest::StartAgain,
        StepName::FindCopy => &restore_guest::FindCopy,
        StepName::BackUp => &backup::BackUp,
        StepName::RestoreGuest => &restore_guest::RestoreGuest,
        StepName::RestoreSettings => &restore_settings::RestoreSettings,
        StepName::DeleteBackup => &backup::DeleteBackup,
        StepName::SnapshotSource => &source_snapshot::SnapshotSource,
        StepName::DropSourceSnapshot => &source_snapshot::DropSourceSnapshot,
        StepName::ConfigureGuest => &configure_guest::ConfigureGuest,
        StepName::RestorePower => &drift::RestorePower,
        StepName::LookAgain => &drift::LookAgain,
        StepName::RemoveOrphan => &drift::RemoveOrphan,
        StepName::KeepPlace => &rebuild::KeepPlace,
        StepName::BackUpFirst => &rebuild::BackUpFirst,
        StepName::BeginRebuild => &rebuild::BeginRebuild,
        StepName::CompareFiles => &update_files::CompareFiles,
        StepName::UpdateFiles => &update_files::UpdateFiles,
        StepName::GuardUpdate => &guard_update::GuardUpdate,
        StepName::DropGuard => &guard_update::DropGuard,
        StepName::RecordTemplate => &record_template::RecordTemplate,
        StepName::MarkGuest => &adopt::MarkGuest,
        StepName::UnmarkGuest => &adopt::UnmarkGuest,
    }
}
