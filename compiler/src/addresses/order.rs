//! The order of the snapshot: by the text of the domain, then by the folded local part. A distribution by domain, then a sort
//! within each: most sites have many domains of few addresses, and comparing then touches little memory.

use super::{Address, AddressBook, AddressId};

impl AddressBook {
    /// Every address in the order of its key; of two with one key, the first.
    pub fn in_order(&self) -> Vec<AddressId> {
        let ranks = self.ranks();
        let rank = |id: AddressId| ranks[self.entries[id.0 as usize].host.0 as usize] as usize;
        let mut ends = vec![0_usize; self.hosts.len()];
        self.first_of_each_key().for_each(|id| ends[rank(id)] += 1);
        let mut begin = 0;
        for end in &mut ends {
            begin += std::mem::replace(end, begin);
        }
        let mut ids = vec![AddressId(0); self.len()];
        for id in self.first_of_each_key() {
            let end = &mut ends[rank(id)];
            ids[*end] = id;
            *end += 1;
        }
        let mut begin = 0;
        for end in ends {
            self.sort_by_local(&mut ids[begin..end]);
            begin = end;
        }
        ids
    }

    /// Every address in the order of its key.
    pub fn iter(&self) -> impl Iterator<Item = Address<'_>> {
        self.in_order().into_iter().map(|id| self.address(id))
    }

    fn first_of_each_key(&self) -> impl Iterator<Item = AddressId> {
        let mut repeated = self.repeated.iter().map(|(second, _)| *second).peekable();
        let all = (0..self.entries.len() as u32).map(AddressId);
        all.filter(move |id| repeated.next_if_eq(id).is_none())
    }

    /// The position of each host in the order of their texts.
    fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.hosts.len() as u32).collect();
        let text = |id: &u32| self.hosts[*id as usize].domain().map_or("", |domain| domain.as_str());
        order.sort_unstable_by(|a, b| text(a).cmp(text(b)));
        let mut ranks = vec![0; order.len()];
        for (rank, id) in order.into_iter().enumerate() {
            ranks[id as usize] = rank as u32;
        }
        ranks
    }

    /// The first octets of each local part stand beside its number, so that few comparisons look further.
    fn sort_by_local(&self, bucket: &mut [AddressId]) {
        let local = |id: AddressId| self.read(self.entries[id.0 as usize].local);
        let head = |id: AddressId| {
            let mut head = [0; 16];
            let octets = local(id).as_bytes();
            let length = octets.len().min(head.len());
            head[..length].copy_from_slice(&octets[..length]);
            head
        };
        let mut keyed: Vec<([u8; 16], AddressId)> = bucket.iter().map(|id| (head(*id), *id)).collect();
        keyed.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| local(a.1).cmp(local(b.1))));
        for (place, (_, id)) in bucket.iter_mut().zip(keyed) {
            *place = id;
        }
    }
}
