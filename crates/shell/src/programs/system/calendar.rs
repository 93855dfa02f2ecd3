//! Days and dates of the Gregorian calendar, in UTC.

/// A moment, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs) struct Moment {
    pub(in crate::programs) year: i64,
    /// From 1.
    pub(in crate::programs) month: i64,
    /// From 1.
    pub(in crate::programs) day: i64,
    pub(in crate::programs) hour: i64,
    pub(in crate::programs) minute: i64,
    pub(in crate::programs) second: i64,
}

/// Days from 1970-01-01 to a date. Months and days behind the last one go on into the next year
/// and month.
pub(in crate::programs) fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years that begin in March have their leap day at the end.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + leap_days + day_of_year - 719_468
}

impl Moment {
    /// The moment so many seconds after the epoch.
    pub(in crate::programs) fn of(seconds: i64) -> Self {
        let days = seconds.div_euclid(86_400);
        let rest = seconds.rem_euclid(86_400);
        // 146,097 days are 400 years, in which the calendar repeats itself.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Moment {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            hour: rest / 3_600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    /// Seconds since the epoch.
    pub(in crate::programs) fn seconds(&self) -> i64 {
        let days = days_since_epoch(self.year, self.month, self.day);
        days * 86_400 + self.hour * 3_600 + self.minute * 60 + self.second
    }

    /// From 0, a Sunday.
    pub(in crate::programs) fn weekday(&self) -> i64 {
        (days_since_epoch(self.year, self.month, self.day) + 4).rem_euclid(7)
    }

    /// From 1.
    pub(in crate::programs) fn day_of_year(&self) -> i64 {
        days_since_epoch(self.year, self.month, self.day) - days_since_epoch(self.year, 1, 1) + 1
    }

    /// The year and week of ISO 8601: weeks begin on Mondays, the first holds January 4th.
    pub(in crate::programs) fn iso_week(&self) -> (i64, i64) {
        let monday = (self.weekday() + 6).rem_euclid(7);
        let thursday = days_since_epoch(self.year, self.month, self.day) - monday + 3;
        let year = Moment::of(thursday * 86_400).year;
        (year, (thursday - days_since_epoch(year, 1, 1)) / 7 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_apart_and_together() {
        for seconds in [0, 1_700_000_000, -1, 951_782_400, 4_102_444_799, -62_135_596_800] {
            assert_eq!(Moment::of(seconds).seconds(), seconds);
        }
        let moment = Moment::of(1_700_000_000);
        assert_eq!((moment.year, moment.month, moment.day, moment.hour), (2023, 11, 14, 22));
        assert_eq!(
            (moment.weekday(), moment.day_of_year(), moment.iso_week()),
            (2, 318, (2023, 46))
        );
        assert_eq!(Moment::of(days_since_epoch(2021, 1, 3) * 86_400).iso_week(), (2020, 53));
    }
}
