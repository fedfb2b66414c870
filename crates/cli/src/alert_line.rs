//! A notice as one line: `time  severity  code  item  block  expected …; came …`.

use crate::terminal::{painted, printable};
use jiff::Timestamp;
use model::alert::{Alert, ExplainedAs, Notice, NoticeKind, Severity, Subject};

/// The line of a notice; `None` for one that nobody needs to be told of while it scrolls by: a consequence of a case
/// that was told already, a change of its members, its finality.
pub(crate) fn line(notice: &Notice, colours: bool) -> Option<String> {
    let end = match notice.kind {
        NoticeKind::Opened if notice.alert.retroactive => "  (judged again on later knowledge)",
        NoticeKind::Opened => "",
        NoticeKind::Closed if notice.alert.explained_as == Some(ExplainedAs::RegistryCorrected) => {
            "  (closed: the registry was corrected)"
        }
        NoticeKind::Closed => "  (explained)",
        NoticeKind::Withdrawn => "  (withdrawn: the chain took it back)",
        NoticeKind::Changed | NoticeKind::Final => return None,
    };
    notice.alert.root.is_none().then(|| format!("{}{end}", of_alert(&notice.alert, colours)))
}

fn of_alert(alert: &Alert, colours: bool) -> String {
    let time = Timestamp::from_second(alert.raised_at_secs)
        .map_or_else(|_| alert.raised_at_secs.to_string(), |time| time.to_string());
    let (severity, colour) = match alert.severity {
        Severity::Critical => ("CRITICAL", "1;31"),
        Severity::High => ("HIGH    ", "31"),
        Severity::Medium => ("MEDIUM  ", "33"),
        Severity::Low => ("LOW     ", "2"),
    };
    let about = match &alert.subject {
        Subject::Item(item) => item.clone(),
        other => format!("{} {other}", other.kind()),
    };
    let (rule, block) = (&alert.rule, alert.position.block);
    let (about, expected, came) = (printable(&about), printable(&alert.expected), printable(&alert.came));
    let severity = painted(severity, colour, colours);
    format!("{time}  {severity}  {rule}  {about}  block {block}  expected {expected}; came {came}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::B256;
    use model::alert::{CaseKey, Standing};
    use model::chain::{ChainId, LogPosition};

    fn notice(kind: NoticeKind) -> Notice {
        let case_key = CaseKey(B256::repeat_byte(1));
        let alert = Alert {
            case_key,
            rule: "ST-01".into(),
            rule_version: 1,
            severity: Severity::Critical,
            standing: Standing::Standing,
            subject: Subject::Item("01/04012345111118/21/2017".into()),
            item: Some("01/04012345111118/21/2017".into()),
            chain: ChainId(1),
            position: LogPosition { block: 812, log: 3, sub: 0 },
            tx_hash: B256::ZERO,
            raised_at_secs: 1_740_823_200,
            expected: "nothing more: dispensed by Pharmacy A".into(),
            came: "dispensed again by Pharmacy \u{1b}[2JB".into(),
            accused: None,
            victim: None,
            witness: None,
            root: None,
            members: 0,
            members_query: None,
            retroactive: false,
            explained_as: None,
            parameters: String::new(),
            evidence: vec![],
        };
        Notice { case_key, revision: 1, kind, alert }
    }

    #[test]
    fn an_alert_is_one_readable_line() {
        assert_eq!(
            line(&notice(NoticeKind::Opened), false).unwrap(),
            "2025-03-01T10:00:00Z  CRITICAL  ST-01  01/04012345111118/21/2017  block 812  \
             expected nothing more: dispensed by Pharmacy A; came dispensed again by Pharmacy \\u{1b}[2JB"
        );
    }

    #[test]
    fn what_was_taken_back_says_so_and_consequences_are_silent() {
        assert!(
            line(&notice(NoticeKind::Withdrawn), false)
                .unwrap()
                .ends_with("(withdrawn: the chain took it back)")
        );
        assert_eq!(line(&notice(NoticeKind::Final), false), None);
        let mut hanging = notice(NoticeKind::Opened);
        hanging.alert.root = Some(CaseKey(B256::ZERO));
        assert_eq!(line(&hanging, false), None);
    }

    #[test]
    fn what_later_knowledge_did_says_so() {
        let mut notice = notice(NoticeKind::Opened);
        notice.alert.retroactive = true;
        assert!(line(&notice, false).unwrap().ends_with("  (judged again on later knowledge)"));
        notice.kind = NoticeKind::Closed;
        assert!(line(&notice, false).unwrap().ends_with("  (explained)"));
        notice.alert.explained_as = Some(ExplainedAs::RegistryCorrected);
        assert!(line(&notice, false).unwrap().ends_with("  (closed: the registry was corrected)"));
    }

    #[test]
    fn an_alert_about_a_party_names_it() {
        let mut notice = notice(NoticeKind::Opened);
        notice.alert.subject = Subject::Party("4012345000009".into());
        assert!(line(&notice, false).unwrap().contains("  ST-01  party 4012345000009  block 812  "));
    }
}
