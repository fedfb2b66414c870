//! What a crash leaves.

use super::*;

fn write(files: &MemoryFiles, path: &str, bytes: &[u8], sync: bool) {
    let mut output = files.create(Path::new(path)).unwrap();
    output.write_all(bytes).unwrap();
    if sync {
        output.sync().unwrap();
    }
}

fn read(files: &MemoryFiles, path: &str) -> Option<Vec<u8>> {
    let input = files.open(Path::new(path)).ok()?;
    Some(input.read_at(0, input.size() as usize).unwrap().to_vec())
}

#[test]
fn only_what_was_synced_outlives_a_loss_of_power() {
    let files = MemoryFiles::default();
    files.create_dir(Path::new("/d")).unwrap();
    files.sync_dir(Path::new("/")).unwrap();
    write(&files, "/d/named", b"kept", true);
    files.sync_dir(Path::new("/d")).unwrap();
    write(&files, "/d/unnamed", b"the name is lost", true);
    write(&files, "/d/temp", b"renamed", true);
    files.rename(Path::new("/d/temp"), Path::new("/d/named")).unwrap();

    let lost = files.after_crash(Loss::Everything);
    assert_eq!((read(&lost, "/d/named"), read(&lost, "/d/unnamed")), (Some(b"kept".to_vec()), None));
    let kept = files.after_crash(Loss::Nothing);
    assert_eq!(read(&kept, "/d/named"), Some(b"renamed".to_vec()));
    assert!(read(&kept, "/d/unnamed").is_some());
}

#[test]
fn bytes_that_were_not_synced_may_be_torn() {
    let files = MemoryFiles::default();
    write(&files, "/file", b"", true);
    files.sync_dir(Path::new("/")).unwrap();
    let mut output = files.append(Path::new("/file")).unwrap();
    output.write_all(b"12345678").unwrap();
    let lengths: BTreeSet<usize> =
        (0..64).map(|seed| read(&files.after_crash(Loss::Some(seed)), "/file").unwrap().len()).collect();
    assert!(lengths.len() > 4, "{lengths:?}");
    assert_eq!(read(&files.after_crash(Loss::Everything), "/file"), Some(Vec::new()));
}

#[test]
fn after_its_crash_a_disk_takes_no_step() {
    let files = MemoryFiles::default();
    write(&files, "/file", b"1", true);
    files.crash_at(files.steps());
    assert!(files.create(Path::new("/other")).is_err());
    assert!(files.remove(Path::new("/file")).is_err());
    assert_eq!(read(&files, "/file"), Some(b"1".to_vec()));
}

#[test]
fn a_folder_is_renamed_with_what_is_in_it_or_not_at_all() {
    let files = MemoryFiles::default();
    files.create_dir(Path::new("/old/inner")).unwrap();
    files.sync_dir(Path::new("/")).unwrap();
    files.sync_dir(Path::new("/old")).unwrap();
    write(&files, "/old/inner/file", b"1", true);
    files.sync_dir(Path::new("/old/inner")).unwrap();
    files.rename(Path::new("/old"), Path::new("/new")).unwrap();
    assert_eq!(read(&files, "/new/inner/file"), Some(b"1".to_vec()));
    assert_eq!(read(&files.after_crash(Loss::Everything), "/old/inner/file"), Some(b"1".to_vec()));
    files.sync_dir(Path::new("/")).unwrap();
    let after = files.after_crash(Loss::Everything);
    assert_eq!(
        (read(&after, "/new/inner/file"), read(&after, "/old/inner/file")),
        (Some(b"1".to_vec()), None)
    );
}
