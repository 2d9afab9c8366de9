//! The memory that a network reads: one picture as three planes of 32-bit floats. Knows no colours.

use zeroize::{Zeroize, Zeroizing};

/// One picture, 1 x 3 x height x width, plane after plane and row after row.
///
/// Written over by the next picture and wiped when it goes. It can be neither copied nor printed.
#[derive(Default)]
pub(crate) struct Tensor {
    width: usize,
    height: usize,
    values: Zeroizing<Vec<f32>>,
}

impl Tensor {
    /// Batch, channels, rows, columns.
    pub(crate) fn dims(&self) -> [usize; 4] {
        [1, 3, self.height, self.width]
    }

    /// All values, in the order of [`Tensor::dims`].
    pub(crate) fn values(&self) -> &[f32] {
        &self.values
    }

    /// Wipes all values; there is no picture then.
    pub(crate) fn wipe(&mut self) {
        self.values.zeroize();
        (self.width, self.height) = (0, 0);
    }

    /// Sets the size. What the values are is left open.
    pub(crate) fn resize(&mut self, width: usize, height: usize) {
        let length = 3 * width * height;
        if self.values.capacity() < length {
            // Growing would leave the old picture behind in freed memory.
            self.values.zeroize();
        }
        self.values.resize(length, 0.0);
        (self.width, self.height) = (width, height);
    }

    /// Gives each plane its value of `fill` everywhere but in the upper left corner of this width and height.
    pub(crate) fn pad(&mut self, (width, height): (usize, usize), fill: [f32; 3]) {
        for y in 0..self.height {
            let start = if y < height { width } else { 0 };
            let length = self.width;
            for (row, value) in self.row_mut(y, 0, length).into_iter().zip(fill) {
                row[start..].fill(value);
            }
        }
    }

    /// `length` values from column `x` of row `y` in each plane.
    pub(crate) fn row_mut(&mut self, y: usize, x: usize, length: usize) -> [&mut [f32]; 3] {
        let (first, rest) = self.values.split_at_mut(self.width * self.height);
        let (second, third) = rest.split_at_mut(self.width * self.height);
        let start = y * self.width + x;
        [first, second, third].map(|plane| &mut plane[start..start + length])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_lie_where_a_network_expects_them() {
        let mut tensor = Tensor::default();
        tensor.resize(4, 2);
        tensor.pad((0, 0), [1.0, 2.0, 3.0]);
        assert_eq!(tensor.dims(), [1, 3, 2, 4]);
        for (channel, row) in tensor.row_mut(1, 0, 2).into_iter().enumerate() {
            row.fill(10.0 * channel as f32);
        }
        #[rustfmt::skip]
        let expected = [
            1.0, 1.0, 1.0, 1.0,   0.0,  0.0, 1.0, 1.0,
            2.0, 2.0, 2.0, 2.0,  10.0, 10.0, 2.0, 2.0,
            3.0, 3.0, 3.0, 3.0,  20.0, 20.0, 3.0, 3.0,
        ];
        assert_eq!(tensor.values(), expected);
        tensor.resize(1, 1);
        tensor.pad((0, 0), [7.0, 8.0, 9.0]);
        assert_eq!(tensor.values(), [7.0, 8.0, 9.0], "nothing of the larger picture is left");
        tensor.wipe();
        assert!(tensor.values().is_empty() && tensor.dims() == [1, 3, 0, 0]);
    }

    #[test]
    fn padding_goes_around_the_picture() {
        let mut tensor = Tensor::default();
        tensor.resize(3, 2);
        tensor.pad((0, 0), [5.0; 3]);
        tensor.pad((2, 1), [1.0, 2.0, 3.0]);
        #[rustfmt::skip]
        let expected = [
            5.0, 5.0, 1.0,   1.0, 1.0, 1.0,
            5.0, 5.0, 2.0,   2.0, 2.0, 2.0,
            5.0, 5.0, 3.0,   3.0, 3.0, 3.0,
        ];
        assert_eq!(tensor.values(), expected);
    }
}
