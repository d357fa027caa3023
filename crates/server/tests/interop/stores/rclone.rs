//! `rclone` over SFTP, which compares sizes and times, or digests that it has the server compute.

use std::fs;

use super::Scene;
use crate::support::Run;
use crate::support::files::{
    assert_same_tree, mtime, named_files, random_file, set_mtime, utf8_names,
};

fn rclone<'a>(scene: &Scene, arguments: impl IntoIterator<Item = &'a str>) -> Run {
    crate::rclone::rclone(&scene.server, arguments)
}

#[test]
fn a_tree_is_copied_checked_and_synchronised_by_its_times() {
    Scene::each(|scene| {
        let tree = scene.server.work().join("tree");
        named_files(&tree.join("odd"), &utf8_names());
        for size in [0, 1, 32_769, 1_000_003, 6_000_000] {
            random_file(&tree.join(format!("size-{size}")), size);
        }
        set_mtime(&tree.join("size-1"), 1_234_567_890);
        set_mtime(&tree.join("size-6000000"), 1_234_567_891);
        rclone(scene, ["copy", "tree", ":sftp:stored"]).succeed();
        rclone(scene, ["check", "--download", "tree", ":sftp:stored"]).succeed();
        // By digests, which the server computes.
        let checked = rclone(scene, ["check", "tree", ":sftp:stored"]).succeed();
        checked.says("0 differences found");
        assert!(
            !checked.said().contains("could not be checked"),
            "{checked}"
        );
        rclone(scene, ["copy", ":sftp:stored", "back"]).succeed();
        let back = scene.server.work().join("back");
        assert_same_tree(&tree, &back);

        fs::remove_file(tree.join("size-32769")).unwrap();
        fs::write(tree.join("size-0"), "no longer empty").unwrap();
        let sync = ["sync", "-v", "--update", "tree", ":sftp:stored"];
        rclone(scene, sync).succeed();
        rclone(scene, ["check", "--download", "tree", ":sftp:stored"]).succeed();
        assert_eq!(scene.stored("stored/size-0").unwrap(), b"no longer empty");
        assert_eq!(scene.stored("stored/size-32769"), None);

        let same = ["sync", "--checksum", "-v", "tree", ":sftp:stored"];
        let said = rclone(scene, same).succeed().said();
        assert!(!said.contains("Copied"), "{said}");

        rclone(
            scene,
            ["moveto", ":sftp:stored/size-1", ":sftp:stored/moved"],
        )
        .succeed();
        rclone(scene, ["copyto", ":sftp:stored/moved", "moved"]).succeed();
        // The time that it was given goes with it.
        assert_eq!(mtime(&scene.server.work().join("moved")), 1_234_567_890);
        rclone(scene, ["purge", ":sftp:stored"]).succeed();
        assert!(scene.keys().is_empty());
    });
}
