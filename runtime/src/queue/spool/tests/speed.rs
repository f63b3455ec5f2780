use super::*;
use std::time::Instant;

fn rss() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn speed() {
    for (writers, octets, each) in [(1usize, 2048usize, 4000usize), (8, 2048, 4000), (50, 2048, 3000), (50, 51200, 200), (200, 2048, 800)] {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let (spool, _) = Spool::open(folder.path(), SpoolOptions::default()).unwrap();
        let spool = Arc::new(spool);
        let body = Bytes::from(vec![b'x'; octets]);
        let p = crate::queue::fixture::permit("bob@example.net");
        let begun = Instant::now();
        runtime.block_on(async {
            let mut tasks = Vec::new();
            for _ in 0..writers {
                let (spool, body, p) = (spool.clone(), body.clone(), p.clone());
                tasks.push(tokio::spawn(async move {
                    let mut worst = Duration::ZERO;
                    for _ in 0..each {
                        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64;
                        let message = Accepted {
                            id: spool.fresh_id(now), arrival_ms: now,
                            reverse_path: postern_schema::name::ReversePath::parse("alice@example.com").unwrap(),
                            recipients: vec![p.clone().into()],
                            smtp_utf8: false, eight_bit: false, ret: None, envid: None,
                            client: crate::queue::Client { address: "192.0.2.1".parse().unwrap(), helo: "client.test".into(), listener: "mx".into(), user: None },
                            generation: Default::default(), body: Body::Inline(vec![body.clone()]),
                        };
                        let t = Instant::now();
                        spool.append(message).await.unwrap();
                        worst = worst.max(t.elapsed());
                    }
                    worst
                }));
            }
            let mut worst = Duration::ZERO;
            for t in tasks { worst = worst.max(t.await.unwrap()); }
            let n = writers * each;
            let e = begun.elapsed();
            eprintln!("{writers} writers x {octets}: {:.0}/s worst {worst:?} rss {} KB", n as f64 / e.as_secs_f64(), rss());
        });
        let t = Instant::now();
        let mut ids: Vec<QueueId> = Vec::new(); loop { let p = spool.page(ids.last().copied(), 1000); if p.is_empty() { break; } ids.extend(p.iter().map(|e| e.id())); }
        for chunk in ids.chunks(100) {
            spool.record_blocking(chunk.iter().map(|id| Change::Outcome { id: *id, recipients: [0].into(), outcome: Outcome::Delivered }).collect()).unwrap();
        }
        eprintln!("  outcomes {:?}", t.elapsed());
        drop(spool);
        let (spool, recovered) = Spool::open(folder.path(), SpoolOptions::default()).unwrap();
        eprintln!("  replay of {} {:?} {:?}", recovered.messages.len(), recovered.duration, spool.counts());
    }
}

#[test]
fn memory() {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let (spool, _) = Spool::open(folder.path(), SpoolOptions::default()).unwrap();
    let before = rss();
    let p = crate::queue::fixture::permit("somebody-else@customer.example.net");
    let n = 200_000u64;
    let mut answers = Vec::new();
    for i in 0..n {
        let message = Accepted {
            id: spool.fresh_id(NOW + i / 1000), arrival_ms: NOW,
            reverse_path: postern_schema::name::ReversePath::parse("newsletter@example.com").unwrap(),
            recipients: vec![p.clone().into()],
            smtp_utf8: false, eight_bit: false, ret: None, envid: None,
            client: crate::queue::Client { address: "192.0.2.1".parse().unwrap(), helo: "client.example.org".into(), listener: "submission".into(), user: Some("alice".into()) },
            generation: Default::default(), body: Body::Inline(vec![Bytes::from_static(&[b'x'; 200])]),
        };
        answers.push(spool.submit(message.into()).unwrap());
        if answers.len() == 1000 { for a in answers.drain(..) { a.blocking_recv().unwrap().unwrap(); } }
    }
    eprintln!("{} octets for each queued message", (rss() - before) * 1024 / n);
    let mut ids: Vec<QueueId> = Vec::new(); loop { let p = spool.page(ids.last().copied(), 1000); if p.is_empty() { break; } ids.extend(p.iter().map(|e| e.id())); }
    for chunk in ids.chunks(100) {
        spool.record_blocking(chunk.iter().map(|id| Change::Outcome { id: *id, recipients: [0].into(), outcome: Outcome::Deferred { attempt: attempt("450", "4.2.0 the mailbox is over quota, try again later please", Some("mx1.customer.example.net")), next_ms: 5 } }).collect()).unwrap();
    }
    eprintln!("{} octets deferred", (rss() - before) * 1024 / n);
    drop(spool);
    let t = Instant::now();
    let (_spool, recovered) = Spool::open(folder.path(), SpoolOptions::default()).unwrap();
    eprintln!("replay {:?} {}", t.elapsed(), recovered.messages.len());
}
