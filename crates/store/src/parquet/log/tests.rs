//! A log that is cut or damaged in any place.

use super::super::memory_files::MemoryFiles;
use super::super::record::{Checkpoint, Merged};
use super::*;

const DIR: &str = "/commits";

fn merged(id: u64) -> Body {
    Body::Merged(Merged { added: Vec::new(), retired: vec![id] })
}

fn bodies(records: &[Record]) -> Vec<Body> {
    records.iter().map(|record| record.body.clone()).collect()
}

fn log_of(files: &MemoryFiles, ids: std::ops::Range<u64>) -> Vec<Body> {
    files.create_dir(Path::new(DIR)).unwrap();
    files.sync_dir(Path::new("/")).unwrap();
    let checkpoint = Body::Checkpoint(Box::default());
    let mut log = Log::begin(Arc::new(files.clone()), DIR.into(), (0, [0; 32]), checkpoint.clone()).unwrap();
    let mut written = vec![checkpoint];
    for id in ids {
        written.push(log.append(merged(id)).unwrap());
    }
    written
}

fn reopened(files: &MemoryFiles) -> Result<(Log, Vec<Record>)> {
    Ok(Log::open(Arc::new(files.clone()), DIR.into())?.unwrap())
}

#[test]
fn records_come_back_and_go_on_where_they_ended() {
    let files = MemoryFiles::default();
    let mut written = log_of(&files, 0..3);
    let (mut log, records) = reopened(&files).unwrap();
    assert_eq!(bodies(&records), written);
    written.push(log.append(merged(9)).unwrap());
    assert_eq!((bodies(&reopened(&files).unwrap().1), log.sequence()), (written, 5));
}

#[test]
fn a_torn_end_is_cut_wherever_it_was_torn() {
    let whole = MemoryFiles::default();
    let written = log_of(&whole, 0..2);
    let path = log_paths(&whole, Path::new(DIR)).unwrap().remove(0);
    let full = whole.open(&path).unwrap().size();
    let last_frame = frame(reopened(&whole).unwrap().1.last().unwrap()).unwrap().0.len() as u64;
    for len in full - last_frame..full {
        let files = whole.after_crash(Loss::Nothing);
        files.truncate(&path, len).unwrap();
        let (mut log, records) = reopened(&files).unwrap();
        assert_eq!(bodies(&records), written[..2], "cut at {len}");
        log.append(merged(7)).unwrap();
        assert_eq!(bodies(&reopened(&files).unwrap().1), [&written[..2], &[merged(7)]].concat());
    }
}

#[test]
fn damage_before_the_last_record_is_an_error_and_never_a_cut() {
    let whole = MemoryFiles::default();
    log_of(&whole, 0..3);
    let path = log_paths(&whole, Path::new(DIR)).unwrap().remove(0);
    let last_frame = frame(reopened(&whole).unwrap().1.last().unwrap()).unwrap().0.len();
    let before_last = whole.open(&path).unwrap().size() as usize - last_frame;
    for byte in 0..before_last {
        let files = whole.after_crash(Loss::Nothing);
        files.flip(&path, byte).unwrap();
        let error = reopened(&files).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "byte {byte}: {error}");
    }
}

#[test]
fn a_new_file_follows_from_the_old_one_by_hash() {
    let files = MemoryFiles::default();
    log_of(&files, 0..2);
    let (mut log, _) = reopened(&files).unwrap();
    let checkpoint = Body::Checkpoint(Box::new(Checkpoint { flushes: 5, ..Checkpoint::default() }));
    log.rotate(checkpoint.clone()).unwrap();
    log.append(merged(4)).unwrap();
    assert_eq!(bodies(&reopened(&files).unwrap().1), [checkpoint, merged(4)]);
    let paths = log_paths(&files, Path::new(DIR)).unwrap();
    let [old, new] = [0, 1].map(|n| read_file(&files, &paths[n]).unwrap());
    assert_eq!((new.records[0].previous, new.records[0].sequence), (old.hash, 4));
}

use super::super::memory_files::Loss;
